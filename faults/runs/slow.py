"""A worker that is slower than its input: it must stay small, tell of its lag, and lose nothing of the backlog.

It is never killed here, so that its own counts must be those of `scan`, outcome by outcome: clean listings, too.
"""

import threading
import time

from faults.common import Trouble, say
from faults.run import Run

LAG = 'touchstone_consumer_lag'
OUTCOME = 'touchstone_listings_total{outcome="%s"}'
OUTCOMES = {'dead letter': 'dead_letter', 'dead letters': 'dead_letter'}
STEP = 0.5


class Slow(Run):
    """Fed as fast as it goes, with long listings among them."""

    name = 'slow'
    what = 'listings come faster than one worker on one thread takes them; its memory stays under a bound and its lag shows'
    worker = 'batch_listings = 100\nthreads = 1'
    rate = None
    most_ahead = 40_000
    events = {'every': 30, 'long': True}

    def break_things(self):
        self.most_memory = self.most_lag = 0
        self.last = {}
        self.start_workers('w1')
        self.looking = threading.Event()
        self.looker = threading.Thread(target=self.look, name='looker', daemon=True)
        self.looker.start()
        time.sleep(self.bench.many(20, self.bench.soak))

    def look(self):
        """Memory and lag, until the backlog is done."""
        worker = self.crew['w1']
        while not self.looking.wait(STEP):
            self.most_memory = max(self.most_memory, worker.memory())
            lag = sum(value for name, value in worker.metrics().items() if name.startswith(LAG))
            self.most_lag = max(self.most_lag, lag)

    def before_end(self):
        """While the worker still answers."""
        self.looking.set()
        self.looker.join(10)
        self.last = self.crew['w1'].metrics()

    def inspect(self, checked):
        """Memory, lag and counts."""
        mebibytes, bound = self.most_memory >> 20, self.bench.memory >> 20
        self.notes.append(f'at most {mebibytes} MiB of memory (bound {bound} MiB), at most {self.most_lag:,.0f} listings of lag')
        say(f'  {self.notes[-1]}')
        if not 0 < mebibytes <= bound:
            checked.problems.append(f'the worker held {mebibytes} MiB of memory, and {bound} MiB are allowed')
        if self.most_lag < self.most_ahead / 10:
            checked.problems.append(f'{LAG} never told of the backlog: at most {self.most_lag:.0f}')
        if self.crew.exits:
            return
        for outcome, count in checked.outcomes.items():
            told = self.last.get(OUTCOME % OUTCOMES.get(outcome, outcome), 0)
            if told != count:
                checked.problems.append(f'the worker counts {told:.0f} listings as {outcome}, and scan {count}')
        if not self.last:
            raise Trouble('the worker tells no metrics')
