"""How peers are timed and how they report: seconds of the processor and of the clock, medians of rounds."""

import json
import platform
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from statistics import median


@dataclass(frozen=True)
class Seconds:
    """What some work took: `cpu` of all threads of this process, `wall` on the clock."""

    cpu: float
    wall: float

    def rates(self, count, unit):
        """How many of a unit a second, by the processor and by the clock."""
        return {
            f'{unit}_per_cpu_second': round(count / self.cpu, 1), f'{unit}_per_wall_second': round(count / self.wall, 1),
            'cpu_seconds': round(self.cpu, 6), 'wall_seconds': round(self.wall, 6),
        }


class Stopwatch:
    """Runs from when it is made."""

    def __init__(self):
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def read(self):
        """The seconds until now."""
        return Seconds(time.process_time() - self.cpu, time.perf_counter() - self.wall)


def timed(work):
    """What the work gives, and its seconds."""
    watch = Stopwatch()
    result = work()
    return result, watch.read()


def middle(rounds):
    """The median of each kind of seconds; they may come from different rounds."""
    return Seconds(median(each.cpu for each in rounds), median(each.wall for each in rounds))


def race(works, rounds):
    """Median seconds of each work by its name.

    Every round runs each of them once, so that a slow minute of the machine falls on all and ratios hold.
    """
    taken = {name: [] for name in works}
    for number in range(rounds):
        say(f'round {number + 1} of {rounds}')
        for name, work in works.items():
            taken[name].append(timed(work)[1])
    return {name: middle(each) for name, each in taken.items()}


def add_rounds(parser):
    """The option that all peers share."""
    parser.add_argument('--rounds', type=positive, default=5, help='rounds of which the median counts (default 5)')


def positive(word):
    """A whole number above 0, as an argument."""
    number = int(word)
    if number < 1:
        raise ValueError(word)
    return number


def versions(*packages):
    """Versions of Python and of installed packages, since figures are theirs as well."""
    return {'python': platform.python_version(), **{package: metadata.version(package) for package in packages}}


def say(text):
    """Progress, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def report(figures):
    """The one JSON object on standard output."""
    print(json.dumps(figures, indent=2))
