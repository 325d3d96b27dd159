"""A peer that reads listings: the pipeline that a Python user would write, with the fastest packages, in one process and one thread.

Lines are read into memory before. Timed are decoding, normalising, matching, prices and the JSON of suspects. `--plain` reads titles only;
else all texts are read that the scanner reads, which is the like work.
"""

import argparse
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from .rule import Counts, Rule
from .timing import add_rounds, positive, race, report, say, timed, versions


def scan(rule, lines):
    """The suspects of all lines, and the counts."""
    counts = Counts()
    suspects = [line for line in (rule.scan(payload, counts) for payload in lines) if line is not None]
    return suspects, counts


def main():
    """Reads, measures and reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--catalog', type=Path, required=True, help='folder with brands.jsonl and fx.json')
    parser.add_argument('--listings', type=Path, required=True, help='JSON Lines')
    parser.add_argument('--limit', type=positive, help='read no more lines than this')
    parser.add_argument('--plain', action='store_true', help='titles only')
    add_rounds(parser)
    asked = parser.parse_args()
    with asked.listings.open('rb') as file:
        lines = list(islice(filter(bytes.strip, file), asked.limit))
    say(f'{len(lines)} listings')
    rule, building = timed(lambda: Rule(asked.catalog, asked.plain))
    suspects, counts = scan(rule, lines)
    assert suspects == scan(rule, lines)[0], 'the same listings gave other suspects at the second time'
    seconds = race({'scan': lambda: scan(rule, lines)}, asked.rounds)['scan']
    report({
        'peer': 'listings', 'text': 'title' if asked.plain else 'all', 'rounds': asked.rounds, 'bytes': sum(map(len, lines)),
        'terms': rule.terms, 'build_cpu_seconds': round(building.cpu, 4), **asdict(counts),
        'named_share': round(counts.named / max(1, len(lines)), 6), **seconds.rates(len(lines), 'listings'),
        'versions': versions('orjson', 'pyahocorasick'),
    })


if __name__ == '__main__':
    main()
