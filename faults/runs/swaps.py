"""The catalog is changed in the middle, by turns for one with a brand less and for the whole one.

By restart: the worker finishes, and is started with the other catalog. What it has committed by then says, partition by
partition, which event was scanned with which catalog, so that every suspect is expected with one version and no other.
"""

from faults.expectation import Segment
from faults.run import Run
from faults.worker import LAST_DRAIN

LIMIT = 40


class Swaps(Run):
    """One catalog after the other."""

    name = 'swaps'
    what = 'the worker is stopped by SIGTERM and started with another catalog; each suspect is held to the catalog of its event'

    def break_things(self):
        self.start_workers('w1')
        catalogs = (self.bench.smaller, self.bench.catalog)
        for number in range(self.bench.many(2, 8)):
            self.pause(1, 3)
            self.swap(catalogs[number % 2])

    def swap(self, catalog):
        """From here on the other catalog."""
        self.crew.terminate('w1')
        self.segments[-1].until = self.settled()
        self.segments.append(Segment(catalog))
        self.crew.start('w1', catalog=catalog)
        self.swaps += 1
        self.watch.moves_on(LIMIT)

    def settled(self):
        """What is committed once nobody works."""
        self.watch.wait_fresh(LAST_DRAIN)
        return dict(self.watch.offsets)
