"""Peers that search binary codes within a Hamming distance, on one thread: faiss' flat scan and its multi-index hashing.

`--references` and `--queries` are files of codes, BITS / 8 bytes a row. What is found are the pairs (query, reference), each counted from
0, at a distance of at most RADIUS. Their checksum is the SHA-256 of all pairs in ascending order, each as two unsigned 64-bit numbers,
little-endian. It is of the queries that the scan answers; multi-index hashing must find the same in its exact settings. With fewer flips it
is faster and misses some: its recall is that on the queries given. `--make FILE` writes random codes, `--queries-of REFERENCES --out FILE`
queries of which half are near a reference.
"""

import argparse
import hashlib
import os
from math import comb
from pathlib import Path

import faiss
import numpy

from . import codes
from .timing import add_rounds, positive, race, report, say, timed, versions

# Queries of one call.
CALL = 64
# Bytes of a code for which faiss has code of its own; others take it three times as long, so they are filled up with zeros.
FAST_WIDTHS = (4, 8, 16, 20, 32, 64)
# Settings that miss more of the results than this are no peer.
LEAST_RECALL = 0.9
# Multi-index hashing answers so many seconds of queries a round: it needs more of them than the scan for sure figures.
ROUND_SECONDS = 1.0


def filled_up(rows):
    """The codes in the next width that faiss is fast with; distances stay the same."""
    width = next((fast for fast in FAST_WIDTHS if fast >= rows.shape[1]), rows.shape[1])
    return numpy.pad(rows, ((0, 0), (0, width - rows.shape[1])))


def search(index, queries, radius):
    """Pairs of query and reference within the radius, unordered, as two arrays."""
    pairs = []
    for start in range(0, len(queries), CALL):
        # faiss wants a distance below its radius, and not at it.
        ends, _, found = index.range_search(queries[start:start + CALL], radius + 1)
        pairs.append((numpy.repeat(numpy.arange(start, start + len(ends) - 1), numpy.diff(ends.astype(numpy.int64))), found))
    return tuple(numpy.concatenate(side).astype('<u8') for side in zip(*pairs))


def in_order(pairs):
    """The pairs as rows, ascending by query, then by reference."""
    queries, found = pairs
    order = numpy.lexsort((found, queries))
    return numpy.stack([queries[order], found[order]], axis=1)


def checksum(rows):
    """What another program compares its own results with."""
    return hashlib.sha256(rows.tobytes()).hexdigest()


def exact_settings(bits, radius, count):
    """Tables, bits of each table's key, and flips of a key that find all within the radius at the least estimated work.

    A code within the radius differs in at most `radius // tables` bits from the query in one of the tables' keys. A query costs a look-up
    for each way to flip so many bits of a key, and twice as much for each code that lies there by chance.
    """
    def work(setting):
        tables, key, flips = setting
        return tables * ways(key, flips) * (1 + 2 * count / 2 ** key)

    sizes = ((tables, key) for tables in range(1, min(16, bits // 8) + 1) for key in range(8, min(32, bits // tables) + 1))
    return min(((tables, key, min(radius // tables, key)) for tables, key in sizes), key=work)


def ways(key, flips):
    """Ways to flip at most so many bits of a key."""
    return sum(comb(key, each) for each in range(flips + 1))


def resident():
    """Bytes of memory that this process holds."""
    return int(Path('/proc/self/statm').read_text(encoding='ascii').split()[1]) * os.sysconf('SC_PAGE_SIZE')


def built(index, references):
    """Fills the index; returns seconds and the growth of memory in bytes a reference."""
    before = resident()
    _, seconds = timed(lambda: index.add(references))
    grown = (resident() - before) / len(references)
    return {'build_cpu_seconds': round(seconds.cpu, 3), 'build_wall_seconds': round(seconds.wall, 3), 'bytes_a_reference': round(grown, 1)}


class Hashed:
    """Multi-index hashing, built for settings that find all."""

    def __init__(self, bits, radius, references):
        self.radius = radius
        self.tables, self.key, self.exact = exact_settings(bits, radius, len(references))
        say(f'building {self.tables} tables by {self.key} bits, of which {self.exact} flip')
        # Keys are taken from the beginning of a code, and so never from what it was filled up with.
        self.index = faiss.IndexBinaryMultiHash(8 * references.shape[1], self.tables, self.key)
        self.built = built(self.index, references)

    def search(self, queries, flips):
        """Pairs within the radius, as far as so many flips find them; the same index serves any number."""
        self.index.nflip = flips
        return search(self.index, queries, self.radius)

    def affordable(self, queries, least):
        """As many of the queries as the exact settings answer in a round's seconds, and at least so many."""
        _, seconds = timed(lambda: self.search(queries[:least], self.exact))
        return queries[:max(least, int(ROUND_SECONDS / seconds.cpu * least))]

    def settings(self, queries):
        """What is found by number of flips: the exact one, and as many fewer as still find most of the results."""
        truth = in_order(self.search(queries, self.exact))
        found = {}
        for flips in range(self.exact, -1, -1):
            rows = in_order(self.search(queries, flips))
            # All pairs are of the truth, as each distance is measured: their number says how many are missing.
            recall = len(rows) / len(truth) if len(truth) else 1.0
            say(f'{flips} flips: recall {recall:.4f}')
            if recall < LEAST_RECALL:
                break
            found[flips] = {'flips': flips, 'exact': flips == self.exact, 'recall': round(recall, 6), 'results': len(rows)}
        return found


def measure(asked):
    """Builds both indexes, compares what they find, and times them in turn."""
    faiss.omp_set_num_threads(1)
    references, queries = (filled_up(codes.load(path, asked.bits)) for path in (asked.references, asked.queries))
    width = 8 * references.shape[1]
    # First, since memory that another index gave back would hide its growth.
    hashed = Hashed(asked.bits, asked.radius, references)
    flat = faiss.IndexBinaryFlat(width)
    flat_built = built(flat, references)
    say('comparing')
    few = queries[:asked.flat_queries]
    truth = in_order(search(flat, few, asked.radius))
    agreed = numpy.array_equal(truth, in_order(hashed.search(few, hashed.exact)))
    assert agreed, 'multi-index hashing with settings that must be exact found something else than the scan'
    many = hashed.affordable(queries, len(few))
    settings = hashed.settings(many)
    works = {'flat': lambda: search(flat, few, asked.radius)}
    works |= {flips: lambda flips=flips: hashed.search(many, flips) for flips in settings}
    taken = race(works, asked.rounds)
    report({
        'peer': 'search', 'bits': asked.bits, 'filled_up_to_bits': width, 'radius': asked.radius,
        'references': len(references), 'rounds': asked.rounds, 'queries_a_call': CALL,
        'flat': {
            'queries': len(few), 'queries_with_results': len(numpy.unique(truth[:, 0])), 'results': len(truth), 'checksum': checksum(truth),
            **flat_built, **taken['flat'].rates(len(few), 'queries'),
        },
        'multihash': {
            'tables': hashed.tables, 'key_bits': hashed.key, 'queries': len(many), 'agrees_with_flat': agreed, **hashed.built,
            'settings': [{**settings[flips], **taken[flips].rates(len(many), 'queries')} for flips in settings],
        },
        'versions': versions('faiss-cpu', 'numpy'),
    })


def main():
    """Makes codes, makes queries, or measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('--references', type=Path, help='measure a search of this file; wants --queries and --radius')
    what.add_argument('--make', type=Path, metavar='FILE', help='write COUNT random codes')
    what.add_argument('--queries-of', type=Path, metavar='REFERENCES', help='write COUNT queries to --out')
    parser.add_argument('--bits', type=positive, required=True, help='bits of a code, a multiple of 8')
    parser.add_argument('--queries', type=Path)
    parser.add_argument('--radius', type=int)
    parser.add_argument('--flat-queries', type=positive, default=256, help='queries that the scan answers (default 256)')
    parser.add_argument('--count', type=positive)
    parser.add_argument('--flip', type=int, default=0, help='bits at most that differ from a reference')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--out', type=Path)
    add_rounds(parser)
    asked = parser.parse_args()
    wanted = ['queries', 'radius'] if asked.references else ['count'] if asked.make else ['count', 'out']
    missing = [name for name in wanted if getattr(asked, name) is None]
    if missing or asked.bits % 8 or not 0 <= asked.flip <= asked.bits:
        parser.error(f'wanted as well: {missing}' if missing else 'bits are a multiple of 8, and at most all of them flip')
    if asked.references:
        measure(asked)
    elif asked.make:
        made = codes.make(asked.make, asked.count, asked.bits, asked.seed)
        report({'peer': 'search', 'made': asked.count, 'bits': asked.bits, 'seed': asked.seed, 'sha256': made})
    else:
        made = codes.make_queries(codes.load(asked.queries_of, asked.bits), asked.out, asked.count, asked.flip, asked.seed)
        report({'peer': 'search', 'queries': asked.count, 'bits': asked.bits, 'flip': asked.flip, 'seed': asked.seed, 'sha256': made})


if __name__ == '__main__':
    main()
