"""Labelled listings: precision and recall, the sources apart, whether scores are probabilities, and the same at the true base rate."""

from . import afternoon
from .bench import at
from .page import Target, interval, number, share

FILES = {'listings.jsonl': 'listings', 'plain.jsonl': 'title and price alone'}
# File: least precision, least recall at report.
AT_REPORT = {'listings.jsonl': (0.97, 0.93), 'plain.jsonl': (0.95, 0.88)}
BANDS = ['remove', 'report', 'ask_brand']


def accuracy(bench, page):
    """Precision and recall, each beside the peer's."""
    page.section('Labelled listings')
    page.text('Out of fold: every listing is judged by a policy whose fit did not see it, ten parts taking turns. Shipped: by the policy '
              'in the binary, which has seen these labels.')
    for name, title in FILES.items():
        page.heading(f'{name}: {title}')
        fitted, fit_run = bench.fit(name)
        shipped, eval_run = bench.evaluate(name)
        page.commands(fit_run, eval_run)
        page.targets(*targets(name, fitted))
        if name == 'listings.jsonl':
            page.text('The band remove is kept lower than its score by the caps: what rests on one kind of evidence alone is not removed '
                      'however high its score. The recall of the score at 99 % precision is what the score itself would allow.')
        peer = afternoon.measure(bench.catalog, bench.listings / name, bench.listings / 'labels.jsonl')
        page.table(['and above', 'true', 'false', 'precision', 'recall', 'right brand', 'recall at 99 % precision'],
                   [*folded(fitted), *by_policy(shipped), by_peer(peer)])
        page.text('By source at report, under the shipped policy:')
        page.table(['source', 'suspects', 'clean', 'recall', 'false flags', 'of 1,000 clean', 'peer: recall', 'peer: of 1,000 clean'],
                   [of_source(row, peer['sources'][row['source']]) for row in shipped['sources']])
    page.text('The peer is `benches/quality/afternoon.py`: whole-word names and aliases in the title, and either one of its code words or '
              "a price under 40 % of the brand's cheapest reference, of the same category where the listing names one.")


def targets(name, fitted):
    """What was promised of a file."""
    remove, report, _ = fitted['out_of_fold']
    least_p, least_r = AT_REPORT[name]
    of = [Target(f'{name}: precision at report, out of fold', 'at least', least_p, report['precision']),
          Target(f'{name}: recall at report, out of fold', 'at least', least_r, report['recall'])]
    if name == 'listings.jsonl':
        of += [Target(f'{name}: precision of the band remove, out of fold', 'at least', 0.99, remove['precision']),
               Target(f'{name}: recall of the band remove, out of fold', 'at least', 0.70, remove['recall']),
               Target(f'{name}: recall of the score at 99 % precision, out of fold', 'at least', 0.70, fitted['recall_at_99_precision'])]
    return of + [Target(f'{name}: right brand, out of fold', 'at least', 0.98, fitted['right_brand'])]


def folded(fitted):
    """Rows of the bands out of fold. The fit says the right brand of report alone, and no band's recall at 99 %."""
    for band, row in zip(BANDS, fitted['out_of_fold']):
        at_report = [fitted['right_brand'], fitted['recall_at_99_precision']] if band == 'report' else [None, None]
        shares = [row['precision'], row['recall'], *at_report]
        yield [f'{band}, out of fold', row['true_flags'], row['false_flags'], *map(number, shares)]


def by_policy(shipped):
    """Rows of the bands under the shipped policy, with 95 % intervals."""
    for band in BANDS:
        row = at(shipped, band)
        yield [f'{band}, shipped', row['true_flags'], row['false_flags'], interval(row['precision']), interval(row['recall']),
               number(row['right_brand']['value']), number(shipped['recall_at_99_precision'] if band == 'report' else None)]


def by_peer(peer):
    """The peer's row."""
    return ['peer, flagged', peer['true'], peer['false'], number(peer['precision']), number(peer['recall']), number(peer['right_brand']),
            number(peer['recall_at_99'])]


def of_source(row, peer):
    """A source's row, the peer's figures beside ours."""
    (hits, suspects), (wrong, clean) = peer['suspect'], peer['clean']
    per_1000 = share(1000 * wrong, clean)
    ours = [row['suspects'], row['clean'], interval(row['recall']), row['false_flags'], number(row['false_flags_per_1000'], 2)]
    return [row['source'], *ours, number(share(hits, suspects), 3), number(per_1000, 2)]


def sources(bench, page):
    """What becomes of a source that the fit has never seen: the nearest to listings that nobody has labelled."""
    page.section('Sources left out')
    page.text('A source of suspects and one of clean listings are left out of the fit together, and judged at the report threshold that '
              'the rest chose. Pairs with 30 suspects and more are telling.')
    for name in FILES:
        fitted, run = bench.fit(name)
        page.heading(name)
        page.commands(run)
        page.targets(Target(f'{name}: worst precision', 'at least', 0.88, fitted['worst_precision']),
                     Target(f'{name}: worst recall', 'at least', 0.75, fitted['worst_recall']))
        pairs = [(pair, pair['at_report']) for pair in fitted['sources_left_out'] if pair['telling']]
        page.table(['suspects of', 'clean of', 'true', 'false', 'precision', 'recall'],
                   [[pair['suspects'], pair['clean'], row['true_flags'], row['false_flags'], number(row['precision'], 3),
                     number(row['recall'], 3)] for pair, row in pairs])


def calibration(bench, page):
    """Whether scores are the probabilities that they say they are."""
    page.section('Calibration')
    page.text('Of listings that score 0.05 and more, out of fold, in ten bins of equally many. At the base rate: every listing counts as '
              'often as it would where suspects are as rare as the policy says. As labelled: every listing counts once, and scores are '
              "moved to the labels' own share of suspects.")
    for name in FILES:
        fitted, run = bench.fit(name)
        figures = fitted['calibration']
        page.heading(name)
        page.commands(run)
        of = []
        for key, words in [('', 'at the base rate'), ('_as_labelled', 'as labelled')]:
            of += [Target(f'{name}: expected calibration error, {words}', 'at most', 0.05, figures[f'expected_error{key}']),
                   Target(f'{name}: Brier skill, {words}', 'at least', 0.8, figures[f'brier_skill{key}'])]
        page.targets(*of)
        page.table(['scores from', 'listings', 'mean score', 'share of suspects'],
                   [[number(b['lowest']), b['listings'], number(b['mean_score'], 3), number(b['share'], 3)] for b in figures['bins']])


def base_rate(bench, page):
    """Precision as an operator would see it: labels hold far more suspects than marketplaces do."""
    page.section('Precision at the base rate')
    runs = [bench.evaluate(name) for name in FILES]
    page.commands(*(run for _, run in runs))
    page.text(f"Under the shipped policy, where {100 * runs[0][0]['base_rate']:.2f} % of listings are suspect; no target is set.")
    page.table(['and above', *FILES],
               [[band, *(number(at(figures, band)['precision_at_base_rate']) for figures, _ in runs)] for band in BANDS])
