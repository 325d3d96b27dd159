"""Compares the means of JPEGs' blocks with libjpeg-turbo's plane at an eighth of the size, as OpenCV has it.

`--folder` holds the pictures, `--blocks` is what the bench `pictures` wrote of them: name, width, height and SHA-256 of each. Reports how
many are equal, differ, and were left to the library that decodes pictures whole; ends with 1 where any differs.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import cv2

from .timing import report

# At an eighth, and as the file stands: the means are compared before a picture is turned.
AS_IT_STANDS = cv2.IMREAD_REDUCED_GRAYSCALE_8 | cv2.IMREAD_IGNORE_ORIENTATION


def is_equal(folder, line):
    """Whether a picture's means are the plane; nothing where it has none."""
    name, width, height, digest = line.split()
    if digest == '-':
        return None
    plane = cv2.imread(str(folder / name), AS_IT_STANDS)
    return plane is not None and plane.shape == (int(height), int(width)) and hashlib.sha256(plane.tobytes()).hexdigest() == digest


def main():
    """Compares all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--folder', type=Path, required=True)
    parser.add_argument('--blocks', type=Path, required=True)
    asked = parser.parse_args()
    found = [is_equal(asked.folder, line) for line in asked.blocks.read_text(encoding='utf-8').splitlines()]
    report({'peer': 'blocks', 'pictures': len(found), 'equal': found.count(True), 'different': found.count(False), 'left': found.count(None)})
    if False in found:
        sys.exit(1)


if __name__ == '__main__':
    main()
