"""Catalogs are published while workers scan, by turns one with a brand less and the whole one; some workers die meanwhile.

Until a worker says that the new one is in use, nobody can say which of the two an event is scanned with: all suspects of the event
must then be what one of them makes of it. What was committed before was scanned with the old one, and what is fed later with the new.
"""

from faults import topics
from faults.common import wait_for
from faults.expectation import Segment
from faults.run import Run

LIMIT = 40


class Published(Run):
    """Swaps at work."""

    name = 'published'
    what = 'catalogs are published to workers that go on scanning, one of which is killed now and then while it takes the new one'
    follows = True

    def break_things(self):
        self.start_workers('w1', 'w2')
        catalogs = (self.bench.smaller, self.bench.catalog)
        for number in range(self.bench.many(3, 12)):
            self.pause(1, 4)
            self.swap(self.segments[-1].catalog, catalogs[number % 2], dies=number % 3 == 2)

    def swap(self, old, new, dies):
        """From here on the other catalog, at the moment that each worker takes it."""
        self.segments[-1].until = dict(self.watch.offsets)
        version = self.publish(new)
        if dies:
            self.crew.kill(self.chance.choice(('w1', 'w2')))
        for name in self.crew.up():
            worker = self.crew[name]
            wait_for(f'{name} uses {version}', LIMIT, lambda: f'touchstone_catalog_info{{version="{version}"}}' in worker.metrics())
        until = topics.ends(self.bench.brokers.addresses, self.topic('listings'))
        self.segments += [Segment(old, until, other=new), Segment(new)]
        self.swaps += 1
        self.watch.moves_on(LIMIT)
