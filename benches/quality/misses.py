"""The worst of what goes wrong, to look into: ids and evidence only, for the listings are not ours to copy."""

from collections import Counter

from .bench import read
from .page import number

MOST = 20


def show(bench, page):
    """Suspects with the lowest scores and clean listings with the highest, under the shipped policy."""
    page.section('Worst misses and false flags')
    labels = {row['event_id']: row for row in read(bench.listings / 'labels.jsonl')}
    rows, run = bench.explain(bench.listings / 'listings.jsonl')
    page.commands(run)
    best = highest(row for row in rows if row['event_id'] in labels)
    suspects = sorted((row for row in best if is_suspect(labels, row)), key=lambda row: (score(row), row['event_id']))[:MOST]
    clean = sorted((row for row in best if not is_suspect(labels, row)), key=lambda row: (-score(row), row['event_id']))[:MOST]
    for title, worst in [(f'{MOST} suspects with the lowest scores', suspects), (f'{MOST} clean listings with the highest scores', clean)]:
        page.heading(title)
        worst.sort(key=lambda row: labels[row['event_id']]['source'])
        by_source = Counter(labels[row['event_id']]['source'] for row in worst)
        page.text('By source: ' + ', '.join(f'{source} {n}' for source, n in by_source.items()) + '.')
        page.table(['event_id', 'source', 'labelled brand', 'highest brand', 'score', 'band', 'evidence'],
                   [cells(row, labels[row['event_id']]) for row in worst])


def score(row):
    """A listing in which no brand was found has no score, which is the lowest."""
    return row.get('score') or 0.0


def is_suspect(labels, row):
    """What the label says."""
    return labels[row['event_id']]['label'] == 'suspect'


def highest(rows):
    """The brand with the highest score of each listing."""
    best = {}
    for row in rows:
        kept = best.get(row['event_id'])
        if kept is None or score(row) > score(kept):
            best[row['event_id']] = row
    return list(best.values())


def cells(row, label):
    """A row without a word of the listing. Every score starts from the base rate, so that is not said."""
    kinds = Counter(e['kind'] for e in row['evidence'] if e['kind'] != 'base_rate')
    evidence = ', '.join(f'{kind} x{n}' if n > 1 else kind for kind, n in sorted(kinds.items()))
    return [f"`{row['event_id']}`", label['source'], label['brand_id'] or '-', row.get('brand_id') or '-', number(row.get('score')),
            row.get('band') or '-', evidence or '-']
