"""Copied pictures after each edit that sellers make, among a few references and among many."""

from collections import Counter
from dataclasses import dataclass
from statistics import median

from . import crowd, pdq
from .bench import read, write
from .page import Target, number

REFERENCES, OTHERS, CROWD = 150, 400, 20_000
# These keep too little of a picture, or too little of its size.
HARD = ('crop30', 'grid4')
# Among many references every third picture is searched, and every hundredth is timed: neither divides the edits of a reference, so
# every edit has its turn.
SEARCHED, TIMED = 3, 100
# Runs without a picture, for the time that is not the picture's.
EMPTY_RUNS = 5


@dataclass
class Result:
    """Recall by edit, and how many of the other pictures were taken for a copy, of how many."""

    recall: dict
    wrong: int
    others: int
    ms: float = None

    @property
    def mean(self):
        """The mean over edits, however many pictures each has."""
        return sum(self.recall.values()) / len(self.recall)


class Pictures:
    """A bench of pictures in a folder: a catalog of references, listings that show edits of them, and what each shows."""

    def __init__(self, bench, folder):
        self.bench, self.folder = bench, folder
        self.rows = read(folder / 'listings.jsonl')
        self.labels = {row['event_id']: row for row in read(folder / 'labels.jsonl')}
        self.paths = {row['event_id']: folder / row['images'][0]['path'] for row in self.rows}
        products = read(folder / 'catalog' / 'products.jsonl')
        self.references = {row['product_id']: folder / 'catalog' / row['images'][0]['path'] for row in products}

    def build(self):
        """Builds the catalog first, so that its time is not the pictures'."""
        return self.bench.run('touchstone', 'catalog', 'build', self.folder / 'catalog', '-o', self.folder / 'catalog.built')

    def match(self, rows, threads=None):
        """The products whose references are shown, by event, and the run."""
        # Beside the photos that the rows name by their paths.
        listings, out = self.folder / 'searched.jsonl', self.folder / 'matches.jsonl'
        write(listings, rows)
        words = ['--catalog', self.folder / 'catalog.built', '--listings', listings, '--out', out]
        run = self.bench.touchstone('match', *words, threads=threads)
        return {row['event_id']: {p['product_id'] for p in row['pictures']} for row in read(out)}, run

    def ms(self):
        """Median milliseconds of pictures that are searched alone on one thread, less those of a run without a picture."""
        def time(rows):
            return 1000 * self.match(rows, threads=1)[1].seconds

        empty = median(time([]) for _ in range(EMPTY_RUNS))
        return median(time([row]) for row in self.rows[::TIMED]) - empty

    def result(self, shown, rows, ms=None):
        """Counts what was shown against the labels."""
        found, of, wrong, others = Counter(), Counter(), 0, 0
        for event in (row['event_id'] for row in rows):
            label = self.labels[event]
            if label['label'] == 'copy':
                of[label['edit']] += 1
                found[label['edit']] += label['product_id'] in shown.get(event, ())
            else:
                others += 1
                wrong += bool(shown.get(event))
        return Result({edit: found[edit] / of[edit] for edit in sorted(of)}, wrong, others, ms)


def measure(bench, page):
    """Recall and wrong references, PDQ beside it, and again where the catalog holds many pictures more."""
    page.section('Pictures')
    folder = bench.work / 'pictures'
    made = bench.run('python3', bench.maker, bench.data / 'photos', folder, '--refs', REFERENCES, '--distractors', OTHERS, '--extra')
    pictures = Pictures(bench, folder)
    few, third, runs = among_few(pictures)
    bench.say('  PDQ on the same pictures')
    found = pdq.search(pictures.references, pictures.paths)
    upright, any_way = (pictures.result(shown, pictures.rows, found.ms) for shown in (found.upright, found.any_way))
    bench.say(f'  making {CROWD} references more')
    strangers = crowd.join(folder / 'catalog', bench.data / 'photos', taken(pictures), CROWD)
    many = among_many(pictures)

    page.text(f'{REFERENCES} references, {len(pictures.rows) - OTHERS} copies after {len(few.recall)} edits and {OTHERS} other photos. A '
              'copy is found where its product is among the references shown; any reference shown for another photo is wrong. Milliseconds '
              f'of processor time are the median of every {TIMED}th picture, each searched alone on one thread, decoding and all, less a '
              'run without a picture.')
    page.commands(made, *runs)
    soft = [edit for edit, recall in few.recall.items() if recall < 0.6 and edit not in HARD]
    page.targets(Target('mean recall', 'at least', 0.90, few.mean),
                 Target(f"edits under 0.6 other than {' and '.join(HARD)}", 'at most', 0, len(soft), 0),
                 Target('wrong references among the others', 'at most', 1, few.wrong, 0),
                 Target(f'fall of mean recall with {CROWD:,} references more', 'at most', 0.03, third.mean - many.mean),
                 Target(f'ms a picture with {CROWD:,} references more', 'at most', 50, many.ms, 1))
    page.text(f'The references more are crops, mirrored, lighter, darker and in pairs, of {strangers} photos that the bench shows nowhere, '
              f'{crowd.SIDE} px, of another brand. They are added to `$WORK/pictures/catalog` and the same commands run again, on every '
              f'{SEARCHED}rd picture. The peer is PDQ within {pdq.RADIUS} bits of 256, references as they are and in eight orientations.')
    results = [few, third, many, upright, any_way]
    page.table(['edit', 'recall', 'every 3rd picture', f'with {CROWD:,} more', 'PDQ', 'PDQ, 8 ways'],
               [[edit, *(number(r.recall[edit], 2) for r in results)] for edit in few.recall]
               + [['**mean**', *(number(r.mean, 4) for r in results)],
                  ['wrong references of others', *(f'{r.wrong} of {r.others}' for r in results)],
                  ['ms a picture', *(number(r.ms, 1) for r in results)]])


def among_few(pictures):
    """What is found of all pictures, what of every third of them, and the runs."""
    build = pictures.build()
    shown, run = pictures.match(pictures.rows)
    return pictures.result(shown, pictures.rows, pictures.ms()), pictures.result(shown, pictures.rows[::SEARCHED]), [build, run]


def among_many(pictures):
    """What is found of every third picture."""
    pictures.build()
    rows = pictures.rows[::SEARCHED]
    shown, _ = pictures.match(rows)
    return pictures.result(shown, rows, pictures.ms())


def taken(pictures):
    """Pictures that show a photo of the bench as it is."""
    others = [path for event, path in pictures.paths.items() if pictures.labels[event]['label'] == 'other']
    return [*others, *pictures.references.values()]
