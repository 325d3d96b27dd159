"""The peer for pictures: PDQ hashes, compared as they are and in all eight orientations."""

import time
from dataclasses import dataclass
from statistics import median

import numpy
import pdqhash
from PIL import Image

RADIUS = 31
ONES = numpy.array([bin(byte).count('1') for byte in range(256)], dtype=numpy.uint16)


def pixels(path):
    """A picture's colours."""
    with Image.open(path) as picture:
        return numpy.asarray(picture.convert('RGB'))


def upright(path):
    """The hash of a picture, 32 bytes."""
    bits, _ = pdqhash.compute(pixels(path))
    return numpy.packbits(bits)


def turned(path):
    """The hashes of a picture in its eight orientations."""
    every, _ = pdqhash.compute_dihedral(pixels(path))
    return [numpy.packbits(bits) for bits in every]


class Bank:
    """Hashes of references, several a reference where it is kept in all orientations."""

    def __init__(self, hashes):
        """Takes pairs of an owner and a hash."""
        self.owners = [owner for owner, _ in hashes]
        self.hashes = numpy.stack([each for _, each in hashes])

    def within(self, each, radius=RADIUS):
        """The owners of the hashes within a radius."""
        distances = ONES[self.hashes ^ each].sum(axis=1)
        return {self.owners[place] for place in numpy.flatnonzero(distances <= radius)}


@dataclass
class Found:
    """Owners found for each picture by each of the two ways, and the median of milliseconds a picture of the first."""

    upright: dict
    any_way: dict
    ms: float


def search(references, pictures):
    """Searches pictures, by their keys, among references, by their owners."""
    turns = [(owner, each) for owner, path in references.items() for each in turned(path)]
    # The first of the eight is the picture as it is.
    plain, every = Bank(turns[::8]), Bank(turns)
    hashes, found, times = {}, {}, []
    for key, path in pictures.items():
        start = time.process_time()
        hashes[key] = upright(path)
        found[key] = plain.within(hashes[key])
        times.append(1000 * (time.process_time() - start))
    return Found(found, {key: every.within(each) for key, each in hashes.items()}, median(times))
