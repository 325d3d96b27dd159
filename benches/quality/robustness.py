"""What a seller gains by writing in his own favour, or by writing the same again and again."""

from .bench import at, read, write
from .page import Target, number

EXCULPATING = 'used, sample, compatible with, book about'
TIMES = 10


def measure(bench, page):
    """Suspects of plain.jsonl with more words in their titles: there the title is nearly all that there is to judge by."""
    page.section('Robustness')
    labels = bench.listings / 'labels.jsonl'
    suspect = {row['event_id'] for row in read(labels) if row['label'] == 'suspect'}
    rows = [row for row in read(bench.listings / 'plain.jsonl') if row['event_id'] in suspect]
    page.heading('Exculpating words')
    page.text(f'Before or after the title of each of the {len(rows)} suspects of plain.jsonl; recall at report under the shipped policy.')
    excuses(bench, page, rows, labels)
    page.heading('Repetition')
    repetition(bench, page, rows)


def retitled(bench, name, rows, title):
    """A file of the same listings with other titles."""
    path = bench.work / f'{name}.jsonl'
    write(path, [dict(row, title=title(row['title'])) for row in rows])
    return path


def excuses(bench, page, rows, labels):
    """Recall with all of the words and with each alone; the target is for all, at the worse end of the title."""
    def recall(name, title):
        figures, run = bench.evaluate_file(retitled(bench, name, rows, title), labels)
        runs.append(run)
        return at(figures, 'report')['recall']['value']

    runs = []
    as_they_are = recall('titles', lambda title: title)
    cells, worst = [], as_they_are
    for words in [EXCULPATING, *EXCULPATING.split(', ')]:
        before = recall('titles-before', lambda title: f'{words} {title}')
        after = recall('titles-after', lambda title: f'{title} {words}')
        cells.append([f'`{words}`', number(before), number(after), number(as_they_are - min(before, after))])
        if words == EXCULPATING:
            worst = min(before, after)
    page.text('The same commands for each row:')
    page.commands(*runs)
    page.targets(Target('fall of recall with all the words, at the worse end', 'at most', 0.05, as_they_are - worst))
    page.table(['words', 'before the title', 'after it', 'fall'], [['none', number(as_they_are), number(as_they_are), number(0.0)], *cells])


def repetition(bench, page, rows):
    """Saying a thing ten times must be worth no more than saying it once."""
    once, run = bench.explain(retitled(bench, 'titles', rows, lambda title: title))
    often, run_often = bench.explain(retitled(bench, 'titles-repeated', rows, lambda title: ' '.join([title] * TIMES)))
    page.commands(run, run_often)
    before, after = scores(once), scores(often)
    changes = {key: abs(after[key] - before[key]) for key in before.keys() & after.keys()}
    page.text(f'Each title {TIMES} times over. {len(changes)} brands are found in both; {len(before.keys() - after.keys())} only in the '
              f'title said once, {len(after.keys() - before.keys())} only in the repeated one.')
    page.targets(Target('largest change of a score', 'under', 0.01, max(changes.values(), default=None), 6))
    changed = sorted((-change, *key) for key, change in changes.items() if change > 0.0)
    page.text(f'Scores that change at all: {len(changed)}.')
    if changed:
        rows = [[f'`{event}`', brand, before[event, brand], after[event, brand]] for _, event, brand in changed[:5]]
        page.table(['event_id', 'brand', 'said once', 'repeated'], rows)


def scores(rows):
    """The score of each brand of each listing."""
    return {(row['event_id'], row['brand_id']): row['score'] for row in rows if row.get('score') is not None}
