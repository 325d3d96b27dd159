"""Three workers of one group join, leave by SIGTERM, and are killed and stay away for a while.

One rebalance is one change of the group's membership that was made here and then seen as "partitions are assigned", with numbers
of partitions, in the log of a worker: of the one that joined, or of one that was left and took over. What workers do on the way to
it (partitions are taken away, assigned in two steps) counts no further.
"""

import time

from faults.common import say, wait_for
from faults.run import Run

NAMES = ('w1', 'w2', 'w3')
LIMIT = 60


class Rebalances(Run):
    """A worker leaves and comes back, again and again."""

    name = 'rebalances'
    what = 'three workers of one group join, leave by SIGTERM, and are killed and stay away until others have taken over'

    def break_things(self):
        for name in NAMES:
            self.join(name)
        for cycle in range(self.bench.many(2, 51)):
            name = self.chance.choice(NAMES)
            self.leave(name, killed=cycle % 2 == 1)
            self.pause(0, 0.5)
            self.join(name)
            self.pause(0, 0.5)

    def join(self, name):
        """A worker joins and is given partitions."""
        since = self.crew[name].written()
        self.crew.start(name)
        self.see([(name, since)], f'{name} joins')

    def leave(self, name, killed):
        """A worker goes, and the others take over."""
        others = [(other, self.crew[other].written()) for other in self.crew.up() if other != name]
        self.watch.forget()
        if killed:
            self.crew.kill(name, again=False)
        else:
            self.crew.terminate(name)
        recovery = self.watch.begin('takeover' if killed else 'leave', every=True)
        self.see(others, f'{name} {"is killed" if killed else "leaves"}')
        self.watch.wait(recovery, LIMIT)

    def see(self, logs, what):
        """Waits until one of the logs tells of an assignment."""
        began = time.monotonic()
        wait_for(f'{what}: an assignment in the logs of the others', LIMIT,
                 lambda: any(self.crew[name].assigned_since(since) for name, since in logs))
        self.rebalances += 1
        say(f'  {what}: seen after {time.monotonic() - began:.1f} s')
