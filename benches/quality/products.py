"""Product match: whether the product that a listing offers is found, on public sets of labelled pairs."""

import json
from statistics import median

from . import tfidf
from .bench import read
from .page import Target, number

# Least pair F1.
SETS = {'walmart-amazon': 0.70, 'amazon-google': 0.62, 'abt-buy': 0.72, 'shoes': 0.62, 'watches': 0.65}
MOST_MS = 2.0
RUNS = 3


def measure(bench, page):
    """Pair F1 of each set, the peer's beside it, and time."""
    page.section('Product match')
    page.text('F1 on the labelled pairs; a pair that is not among the five products found scores 0. The threshold is chosen on one half of '
              'the listings (by their ids) and tested on the other, both ways, averaged. Time is the processor time of a whole run on one '
              f'thread, catalog and all, the median of {RUNS}. The peer is TF-IDF cosine of title, brand and model against the names of '
              'products, five nearest.')
    targets, cells, runs = [], [], []
    for name, least in SETS.items():
        folder = bench.data / 'product_matching' / name
        listings, pairs = read(folder / 'listings.jsonl'), read(folder / 'pairs.jsonl')
        ours, ms = found(bench, folder, len(listings), runs)
        peer = tfidf.match(read(folder / 'catalog' / 'products.jsonl'), listings)
        f1, f1_peer = both_ways(ours, pairs), both_ways(peer, pairs)
        targets += [Target(f'{name}: pair F1', 'at least', least, f1), Target(f'{name}: ms a listing', 'at most', MOST_MS, ms, 3)]
        cells.append([name, len(listings), len(pairs), number(f1, 3), number(f1_peer, 3), number(f1 - f1_peer, 3), number(ms, 3)])
    page.commands(*runs)
    page.targets(*targets)
    page.table(['set', 'listings', 'pairs', 'F1', 'peer: F1', 'gain', 'ms a listing'], cells)


def found(bench, folder, listings, runs):
    """Similarity by listing and product, and the milliseconds that a listing took."""
    out = bench.work / 'matches.jsonl'
    timed = [bench.touchstone('match', '--catalog', folder / 'catalog', '--listings', folder / 'listings.jsonl', '--out', out, threads=1)
             for _ in range(RUNS)]
    runs.append(timed[0])
    similarity = {}
    with open(out, encoding='utf-8') as lines:
        for row in map(json.loads, lines):
            similarity.update(((row['event_id'], p['product_id']), p['similarity']) for p in row['products'])
    return similarity, 1000 * median(run.seconds for run in timed) / listings


def both_ways(similarity, pairs):
    """F1 on each half at the threshold that is best on the other."""
    halves = [[], []]
    for pair in pairs:
        score = similarity.get((pair['event_id'], pair['product_id']), 0.0)
        halves[int(pair['event_id'], 16) % 2].append((score, bool(pair['match'])))
    return sum(f1(test, best_threshold(train)) for train, test in [halves, halves[::-1]]) / 2


def f1(half, threshold):
    """F1 where what scores the threshold and more is said to match."""
    said = [match for score, match in half if score >= threshold]
    return 2 * sum(said) / max(1, len(said) + sum(match for _, match in half))


def best_threshold(half):
    """The highest of the thresholds that give the best F1."""
    ranked = sorted(half, key=lambda pair: -pair[0])
    matches = sum(match for _, match in half)
    hits, best, threshold = 0, -1.0, 1.0
    for place, (score, match) in enumerate(ranked, 1):
        hits += match
        last = place == len(ranked) or ranked[place][0] < score
        value = 2 * hits / (place + matches)
        if score > 0.0 and last and value > best:
            best, threshold = value, score
    return threshold
