"""Peers that decode and hash pictures: pictures a second, on one thread, for a folder that was read into memory before.

`opencv` decodes a JPEG to gray at an eighth of its size, which spares most of the decoder's work, and takes a 64-bit pHash;
`opencv_full` decodes the whole; `pillow_draft_imagehash` is the same idea in Pillow, `pillow_imagehash` without it; `pdq` is the
256-bit PDQ of the whole picture; `orb` describes 400 keypoints at 320 pixels. Only JPEG can be decoded in part.
"""

import argparse
import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import imagehash
import numpy
import pdqhash
from PIL import Image

from .timing import add_rounds, race, report, say, versions

SUFFIXES = {'.jpg', '.jpeg', '.png', '.webp'}
ORB_SIDE = 320
ORB_POINTS = 400
orb_detector = cv2.ORB_create(nfeatures=ORB_POINTS)


@dataclass(frozen=True)
class Picture:
    """A file in memory."""

    name: str
    data: bytes

    @property
    def array(self):
        """A view of the bytes, not a copy: OpenCV reads arrays only."""
        return numpy.frombuffer(self.data, dtype=numpy.uint8)

    @property
    def is_jpeg(self):
        """By the bytes, since names lie."""
        return self.data.startswith(b'\xff\xd8')


def decoded(picture, flags):
    """Pixels by OpenCV, which returns nothing where it fails."""
    pixels = cv2.imdecode(picture.array, flags)
    if pixels is None:
        raise ValueError(f'{picture.name} cannot be decoded')
    return pixels


def phash(gray):
    """64 bits: which of the 8x8 lowest frequencies are above their median."""
    small = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA).astype(numpy.float32)
    low = cv2.dct(small)[:8, :8]
    return numpy.packbits(low > numpy.median(low)).tobytes()


def opencv(picture):
    """pHash of an eighth of the size, in gray."""
    return phash(decoded(picture, cv2.IMREAD_REDUCED_GRAYSCALE_8))


def opencv_full(picture):
    """pHash of the whole picture, in gray."""
    return phash(decoded(picture, cv2.IMREAD_GRAYSCALE))


def pillow_draft_imagehash(picture):
    """imagehash's pHash of what Pillow decodes at an eighth of the size, in gray."""
    with Image.open(io.BytesIO(picture.data)) as opened:
        opened.draft('L', (opened.width // 8, opened.height // 8))
        return bits_of(imagehash.phash(opened))


def pillow_imagehash(picture):
    """imagehash's pHash of the whole picture."""
    with Image.open(io.BytesIO(picture.data)) as opened:
        return bits_of(imagehash.phash(opened))


def bits_of(image_hash):
    """An imagehash as bytes."""
    return numpy.packbits(image_hash.hash).tobytes()


def pdq(picture):
    """PDQ of the whole picture, 256 bits."""
    with Image.open(io.BytesIO(picture.data)) as opened:
        bits, _ = pdqhash.compute(numpy.asarray(opened.convert('RGB')))
    return numpy.packbits(bits).tobytes()


def for_orb(picture):
    """The picture in gray with its longer side at 320 pixels."""
    gray = decoded(picture, cv2.IMREAD_GRAYSCALE)
    factor = ORB_SIDE / max(gray.shape)
    return cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def keypoints(gray):
    """Descriptors of up to 400 keypoints, 32 bytes each; a plain picture has none."""
    _, descriptors = orb_detector.detectAndCompute(gray, None)
    return b'' if descriptors is None else descriptors.tobytes()


def orb(picture):
    """Decode, shrink and describe."""
    return keypoints(for_orb(picture))


def peers_for(pictures):
    """The peers whose way applies to all the pictures."""
    of_jpeg = [opencv, pillow_draft_imagehash] if all(each.is_jpeg for each in pictures) else []
    return [*of_jpeg, opencv_full, pillow_imagehash, pdq, orb]


def checked(peers, pictures):
    """Runs every peer twice over all pictures: a figure of failures or of chance would say nothing. Returns how many results differ."""
    distinct = {}
    for peer in peers:
        say(f'checking {peer.__name__}')
        first, second = ([peer(each) for each in pictures] for _ in range(2))
        wrong = [each.name for each, a, b in zip(pictures, first, second) if a != b]
        assert not wrong, f'{peer.__name__}: other hashes at the second time: {wrong}'
        distinct[peer.__name__] = len(set(first))
    return distinct


def main():
    """Reads the folder, checks, measures and reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--folder', type=Path, required=True, help='folder of pictures of one format')
    add_rounds(parser)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    paths = sorted(path for path in asked.folder.iterdir() if path.suffix.lower() in SUFFIXES)
    pictures = [Picture(path.name, path.read_bytes()) for path in paths]
    assert pictures, f'no pictures in {asked.folder}'
    peers = peers_for(pictures)
    distinct = checked(peers, pictures)
    works = {peer.__name__: lambda peer=peer: [peer(each) for each in pictures] for peer in peers}
    small = [for_orb(each) for each in pictures]
    works['orb_alone'] = lambda: [keypoints(gray) for gray in small]
    taken = race(works, asked.rounds)
    alone = taken.pop('orb_alone')
    figures = {name: {**each.rates(len(pictures), 'pictures'), 'distinct': distinct[name]} for name, each in taken.items()}
    a_picture = 1000 / len(pictures)
    figures['orb'] |= {'alone_cpu_ms': round(a_picture * alone.cpu, 4), 'alone_wall_ms': round(a_picture * alone.wall, 4)}
    report({
        'peer': 'pictures', 'set': asked.folder.name, 'pictures': len(pictures), 'bytes': sum(len(each.data) for each in pictures),
        'rounds': asked.rounds, 'peers': figures,
        'versions': versions('opencv-python-headless', 'pillow', 'ImageHash', 'pdqhash', 'numpy'),
    })


if __name__ == '__main__':
    main()
