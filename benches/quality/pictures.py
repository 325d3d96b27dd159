"""Copied pictures after each edit that sellers make, among a few references and among many."""

from collections import Counter
from dataclasses import dataclass

from . import crowd, pdq
from .bench import read
from .page import Target, number

REFERENCES, OTHERS, CROWD = 150, 400, 20_000
# These keep too little of a picture, or too little of its size.
HARD = ('crop30', 'grid4')


@dataclass
class Result:
    """Recall by edit, how many of the other pictures were taken for a copy, and milliseconds a picture."""

    recall: dict
    wrong: int
    ms: float

    @property
    def mean(self):
        """The mean over edits, however many pictures each has."""
        return sum(self.recall.values()) / len(self.recall)


def measure(bench, page):
    """Recall and wrong references, PDQ beside it, and again where the catalog holds many pictures more."""
    page.section('Pictures')
    folder = bench.work / 'pictures'
    made = bench.run('python3', bench.maker, bench.data / 'photos', folder, '--refs', REFERENCES, '--distractors', OTHERS, '--extra')
    labels = {row['event_id']: row for row in read(folder / 'labels.jsonl')}
    few, few_runs = search(bench, folder, labels)
    upright, any_way = peers(bench, folder, labels)
    bench.say(f'  making {CROWD} references more')
    taken = [folder / path for path in listed(folder, labels, lambda label: label['label'] == 'other').values()]
    taken += references(folder).values()
    strangers = crowd.join(folder / 'catalog', bench.data / 'photos', taken, CROWD)
    many, many_runs = search(bench, folder, labels)

    soft = [edit for edit, r in few.recall.items() if r < 0.6 and edit not in HARD]
    page.text(f'{REFERENCES} references, {len(labels) - OTHERS} copies after {len(few.recall)} edits and {OTHERS} other photos. A copy is '
              'found where its product is among the references shown; any reference shown for another photo is wrong. Milliseconds are '
              'of a whole run on one thread, decoding and all, by the number of pictures: a mean, and not the median.')
    page.commands(made, *few_runs)
    page.targets(Target('mean recall', 'at least', 0.90, few.mean),
                 Target(f"edits under 0.6 other than {' and '.join(HARD)}", 'at most', 0, len(soft), 0),
                 Target('wrong references among the others', 'at most', 1, few.wrong, 0),
                 Target(f'fall of mean recall with {CROWD:,} references more', 'at most', 0.03, few.mean - many.mean),
                 Target(f'ms a picture with {CROWD:,} references more', 'at most', 50, many.ms, 1))
    page.text(f'The references more are crops, mirrored, lighter, darker and in pairs, of {strangers} photos that the bench shows nowhere, '
              f'{crowd.SIDE} px, of another brand. They are added to `$WORK/pictures/catalog`, and the same commands are run again:')
    page.commands(*many_runs)
    page.text(f'The peer is PDQ within {pdq.RADIUS} bits of 256 on the same pictures, references as they are and in eight orientations.')
    results = [few, many, upright, any_way]
    page.table(['edit', 'recall', f'{CROWD // 1000}k more', 'PDQ', 'PDQ, 8 ways'],
               [[edit, *(number(r.recall[edit], 2) for r in results)] for edit in few.recall]
               + [['**mean**', *(number(r.mean, 3) for r in results)],
                  [f'wrong references of {OTHERS}', *(r.wrong for r in results)],
                  ['ms a picture', *(number(r.ms, 1) for r in results)]])


def search(bench, folder, labels):
    """What touchstone finds. The catalog is built first, so that its time is not the pictures'."""
    built, out = folder / 'catalog.built', folder / 'matches.jsonl'
    build = bench.run('touchstone', 'catalog', 'build', folder / 'catalog', '-o', built)
    run = bench.touchstone('match', '--catalog', built, '--listings', folder / 'listings.jsonl', '--out', out, threads=1)
    shown = {row['event_id']: {p['product_id'] for p in row['pictures']} for row in read(out)}
    return result(labels, shown, 1000 * run.seconds / len(labels)), [build, run]


def peers(bench, folder, labels):
    """What PDQ finds, upright and in eight orientations."""
    bench.say('  PDQ on the same pictures')
    pictures = {key: folder / path for key, path in listed(folder, labels, lambda _: True).items()}
    found = pdq.search(references(folder), pictures)
    return result(labels, found.upright, found.ms), result(labels, found.any_way, found.ms)


def listed(folder, labels, wanted):
    """Pictures of the listings that are wanted, by event."""
    return {row['event_id']: row['images'][0]['path'] for row in read(folder / 'listings.jsonl') if wanted(labels[row['event_id']])}


def references(folder):
    """Pictures of the references, by product."""
    rows = read(folder / 'catalog' / 'products.jsonl')
    return {row['product_id']: folder / 'catalog' / row['images'][0]['path'] for row in rows}


def result(labels, shown, ms):
    """Counts what was shown against the labels."""
    found, of, wrong = Counter(), Counter(), 0
    for event, label in labels.items():
        if label['label'] == 'copy':
            of[label['edit']] += 1
            found[label['edit']] += label['product_id'] in shown.get(event, ())
        else:
            wrong += bool(shown.get(event))
    return Result({edit: found[edit] / n for edit, n in of.items()}, wrong, ms)
