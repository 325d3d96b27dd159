"""Makes the named set of pictures that picture benchmarks read: the same photos in two sizes and four formats.

Folders in OUT: `800` and `1500` (baseline JPEG, quality 85, 4:2:0), `progressive` (JPEG, 800), `webp` (quality 80, 800), `png` (800);
numbers are pixels of the longer side. `manifest.json` names the photos and the SHA-256 of every file. The same photos, seed and versions
give the same bytes. Smaller photos are enlarged, and have less detail for their size than a camera's: `--least` leaves them out.
"""

import argparse
import hashlib
import io
import json
import random
from pathlib import Path

from PIL import Image, ImageOps, features

from .timing import positive, report, say, versions

JPEG = {'format': 'JPEG', 'quality': 85, 'subsampling': '4:2:0'}
# Folder: longer side in pixels, suffix, how it is written.
SETS = {
    '800': (800, 'jpg', JPEG),
    '1500': (1500, 'jpg', JPEG),
    'progressive': (800, 'jpg', {**JPEG, 'progressive': True}),
    'webp': (800, 'webp', {'format': 'WEBP', 'quality': 80}),
    'png': (800, 'png', {'format': 'PNG'}),
}
SUFFIXES = {'.jpg', '.jpeg', '.png', '.webp'}


def longer_side(path):
    """Pixels of a photo's longer side; only its header is read."""
    with Image.open(path) as photo:
        return max(photo.size)


def pick(paths, count, seed):
    """COUNT of the paths, evenly spaced; the seed says where between two of them the first one lies."""
    if len(paths) < count:
        raise SystemExit(f'{count} photos were asked for, and {len(paths)} are there')
    start = random.Random(seed).random()
    return [paths[int((place + start) * len(paths) / count)] for place in range(count)]


def scaled(photo, side):
    """The photo with its longer side as long as asked."""
    factor = side / max(photo.size)
    return photo.resize([max(1, round(length * factor)) for length in photo.size], Image.Resampling.LANCZOS)


def encoded(photo, how):
    """The photo's bytes as a file, without what the camera wrote into it."""
    out = io.BytesIO()
    photo.save(out, **how)
    return out.getvalue()


def clear(out):
    """Makes the folders, without what an earlier run left: every file of a folder is measured."""
    for folder, (_, suffix, _) in SETS.items():
        (out / folder).mkdir(parents=True, exist_ok=True)
        for old in (out / folder).glob(f'*.{suffix}'):
            old.unlink()


def make(photos, out):
    """Writes all sets and returns the SHA-256 of each file by its name."""
    hashes = {}
    for number, path in enumerate(photos, 1):
        say(f'{number} of {len(photos)}: {path.name}')
        with Image.open(path) as opened:
            # Turned for good: decoders disagree about the orientation that a camera notes.
            photo = ImageOps.exif_transpose(opened).convert('RGB')
        # Nothing of the source's own profile or notes is to be parsed when it is measured.
        photo.info.clear()
        by_side = {side: scaled(photo, side) for side, _, _ in SETS.values()}
        for folder, (side, suffix, how) in SETS.items():
            data = encoded(by_side[side], how)
            name = f'{folder}/{path.stem}.{suffix}'
            (out / name).write_bytes(data)
            hashes[name] = hashlib.sha256(data).hexdigest()
    return hashes


def manifest(photos, hashes, asked):
    """What was made of what, and with which versions."""
    codecs = {codec: features.version(codec) for codec in ('jpg', 'webp', 'zlib')}
    return {
        'count': asked.count, 'seed': asked.seed, 'least': asked.least, 'versions': versions('pillow'), 'codecs': codecs,
        'photos': [path.name for path in photos], 'files': dict(sorted(hashes.items())),
    }


def main():
    """Makes the sets and reports how large they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--photos', type=Path, required=True, help='folder of photos')
    parser.add_argument('--out', type=Path, required=True, help='folder for the sets')
    parser.add_argument('--count', type=positive, default=48)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--least', type=int, default=0, metavar='PX', help='leave out photos whose longer side is shorter')
    asked = parser.parse_args()
    # No two files of a set may get the same name.
    found = {path.stem: path for path in sorted(asked.photos.iterdir(), reverse=True) if path.suffix.lower() in SUFFIXES}
    sides = {path: longer_side(path) for path in found.values()}
    photos = pick(sorted(path for path, side in sides.items() if side >= asked.least), asked.count, asked.seed)
    clear(asked.out)
    hashes = make(photos, asked.out)
    named = json.dumps(manifest(photos, hashes, asked), indent=1) + '\n'
    (asked.out / 'manifest.json').write_text(named, encoding='utf-8')
    report({
        'peer': 'photos', 'photos': len(photos), 'manifest_sha256': hashlib.sha256(named.encode()).hexdigest(),
        'enlarged': {folder: sum(sides[path] < side for path in photos) for folder, (side, _, _) in SETS.items()},
        'bytes': {folder: sum((asked.out / name).stat().st_size for name in hashes if name.startswith(f'{folder}/')) for folder in SETS},
    })


if __name__ == '__main__':
    main()
