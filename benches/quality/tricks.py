"""Made-up listings: what sellers do to hide a name, and the honest listings that look like it."""

from .page import Target, number, share

SEEDS = (1, 2)
COUNTED = ('trick:', 'trap:')
LEAST_RECALL, MOST_FLAGGED = 0.93, 0.02


def measure(bench, page):
    """Recall of every class of tricks and the share of every class of traps that is flagged."""
    page.section('Tricks and traps')
    page.text('Made by `tricks` from the catalog, with two seeds: tricks are suspect, traps are honest look-alikes. Classes named neither '
              'trick nor trap stand outside the targets. A class is short where either seed misses what all classes together must meet.')
    made, runs = [], []
    for seed in SEEDS:
        folder = bench.work / f'tricks-{seed}'
        folder.mkdir(exist_ok=True)
        runs.append(bench.run('tricks', '--catalog', bench.catalog, '--seed', seed, '--out', folder))
        figures, run = bench.evaluate_file(folder / 'listings.jsonl', folder / 'labels.jsonl')
        runs.append(run)
        made.append({row['source']: row for row in figures['sources']})
    page.commands(*runs)
    targets = []
    for seed, rows in zip(SEEDS, made):
        tricks = total(rows, lambda source: source.startswith('trick:'))
        traps = total(rows, lambda source: source.startswith('trap:'))
        recall, flagged = share(tricks['true_flags'], tricks['suspects']), share(traps['false_flags'], traps['clean'])
        targets += [Target(f'seed {seed}: recall of all tricks', 'at least', LEAST_RECALL, recall),
                    Target(f'seed {seed}: share of all traps flagged', 'at most', MOST_FLAGGED, flagged)]
    page.targets(*targets)
    classes = sorted(set().union(*made))
    page.text('Recall of each class at report:')
    head = ['class', *(f'seed {seed}' for seed in SEEDS), '']
    hidden, honest = ([name for name in classes if holds(name, made, whole)] for whole in ('suspects', 'clean'))
    page.table(head, [of_class(name, made, 'true_flags', 'suspects', lambda recall: recall >= LEAST_RECALL) for name in hidden])
    page.text('Share of each class flagged at report, though honest:')
    page.table(head, [of_class(name, made, 'false_flags', 'clean', lambda flagged: flagged <= MOST_FLAGGED) for name in honest])
    by_hand(bench, page)


def total(rows, wanted):
    """Counts of all the classes that are wanted."""
    keys = ['suspects', 'clean', 'true_flags', 'false_flags']
    return {key: sum(row[key] for source, row in rows.items() if wanted(source)) for key in keys}


def holds(name, made, whole):
    """Whether a class has listings of a kind."""
    return any(rows.get(name, {}).get(whole) for rows in made)


def of_class(name, made, part, whole, meets):
    """A class's row: flagged of how many with either seed, and whether one of them falls short of the target of all."""
    rows = [rows.get(name, {part: 0, whole: 0}) for rows in made]
    shares = [share(row[part], row[whole]) for row in rows]
    cells = [f'{number(s, 3)} ({row[part]} of {row[whole]})' for s, row in zip(shares, rows)]
    short = name.startswith(COUNTED) and not all(meets(s) for s in shares if s is not None)
    return [name, *cells, 'short' if short else '']


def by_hand(bench, page):
    """The hand-written rows, too few for a share to say much."""
    page.heading('Written by hand')
    folder = bench.data / 'tricks'
    figures, run = bench.evaluate_file(folder / 'listings.jsonl', folder / 'labels.jsonl')
    page.commands(run)
    rows = figures['sources']
    page.table(['class', 'suspects', 'flagged', 'clean', 'flagged though clean'],
               [[row['source'], row['suspects'], row['true_flags'], row['clean'], row['false_flags']] for row in rows]
               + [['all', *(sum(row[key] for row in rows) for key in ('suspects', 'true_flags', 'clean', 'false_flags'))]])
