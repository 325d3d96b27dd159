"""One broker is killed and brought back, and paused longer than every timeout; the workers stay up."""

import time

from faults.common import say
from faults.run import Run

LIMIT = 90
# Longer than the timeouts of sessions and transactions; in the long form longer than a worker makes a call again, too.
PAUSE, LONG_PAUSE = 12, 40


class Outages(Run):
    """The only broker goes, and with it everything."""

    name = 'outages'
    what = f'the only broker is killed and restarted, or paused for {LONG_PAUSE} s ({PAUSE} s in the short form), while two workers stay up'

    def break_things(self):
        self.start_workers('w1', 'w2')
        kinds = self.bench.many(['kill', 'pause'], ['kill', 'kill', 'kill', 'kill', 'pause'] * 3)
        for kind in kinds:
            self.watch.moves_on(LIMIT, every=True)
            self.pause(0, 2)
            if kind == 'kill':
                self.outage('kill', 'restart', self.chance.uniform(0, 3))
            else:
                self.outage('pause', 'resume', self.bench.many(PAUSE, LONG_PAUSE))

    def outage(self, verb, back, seconds):
        """The broker goes, and comes back with its data; how long that takes the workers counts from its return."""
        self.watch.forget()
        self.bench.brokers.fault(verb, 1)
        self.outages += 1
        time.sleep(seconds)
        self.bench.brokers.fault(back, 1)
        recovery = self.watch.begin('broker_return', every=True)
        self.watch.wait(recovery, LIMIT)
        say(f'  {verb} and {back}: {recovery.seconds:.1f} s until the workers go on')
