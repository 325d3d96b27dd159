"""Three brokers with three copies of everything: one at a time is killed and brought back, and the workers go on meanwhile."""

from faults.common import say
from faults.run import Run

LIMIT = 60


class Replicated(Run):
    """One broker of three goes, which takes a third of the leaders with it."""

    name = 'replicated'
    what = 'one broker of three is killed and restarted, with three copies of which two must be in sync, while two workers stay up'
    brokers = 3
    rate = 2000

    def break_things(self):
        self.start_workers('w1', 'w2')
        order = []
        for _ in range(self.bench.many(1, 9)):
            # Each of them in turn: the coordinators of the group and of the transactions, too.
            order = order or self.chance.sample((1, 2, 3), 3)
            number = order.pop()
            self.pause(0, 2)
            self.watch.forget()
            self.bench.brokers.fault('kill', number)
            self.outages += 1
            recovery = self.watch.begin('broker_loss', every=True)
            self.watch.wait(recovery, LIMIT)
            self.bench.brokers.fault('restart', number)
            say(f'  broker {number} lost: {recovery.seconds:.1f} s until every partition goes on')
            # Not the next before all copies are in sync again: two of three gone stops everything, as it must.
            self.watch.moves_on(LIMIT, every=True)
            self.pause(3, 5)
