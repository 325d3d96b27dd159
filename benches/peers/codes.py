"""Files of codes for the search benchmarks: rows of BITS / 8 bytes and nothing else, references as well as queries."""

import hashlib
from pathlib import Path

import numpy

# Codes that are written at once, so that memory stays small.
BLOCK = 1 << 20


def load(path, bits):
    """The codes of a file, one a row."""
    width = bits // 8
    if Path(path).stat().st_size % width:
        raise SystemExit(f'{path} does not hold whole codes of {bits} bits')
    return numpy.fromfile(path, dtype=numpy.uint8).reshape(-1, width)


def generator(seed, what):
    """Chance of its own for each kind of file: from one stream, queries that should be random would be the first references."""
    return numpy.random.default_rng([seed, *what.encode()])


def make(out, count, bits, seed):
    """Writes random codes and returns the file's SHA-256."""
    chance = generator(seed, 'references')
    counts = (min(BLOCK, count - done) for done in range(0, count, BLOCK))
    return write(out, (chance.integers(0, 256, (each, bits // 8), dtype=numpy.uint8) for each in counts))


def make_queries(references, out, count, flip, seed):
    """Writes queries and returns the file's SHA-256.

    Even rows are references with 0 to `flip` different bits flipped, odd rows are random: any beginning of the file hits and misses alike.
    """
    chance = generator(seed, 'queries')
    queries = chance.integers(0, 256, (count, references.shape[1]), dtype=numpy.uint8)
    hits = references[chance.integers(0, len(references), (count + 1) // 2)]
    for row in hits:
        bits = chance.choice(8 * len(row), size=chance.integers(0, flip + 1), replace=False)
        numpy.bitwise_xor.at(row, bits // 8, (1 << (bits % 8)).astype(numpy.uint8))
    queries[::2] = hits
    return write(out, [queries])


def write(out, blocks):
    """Writes blocks of codes and returns the file's SHA-256."""
    digest = hashlib.sha256()
    with open(out, 'wb') as file:
        for block in blocks:
            data = block.tobytes()
            digest.update(data)
            file.write(data)
    return digest.hexdigest()
