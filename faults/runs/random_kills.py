"""SIGKILL at random moments; the worker is started again at once by the same name."""

from faults.run import Run

LIMIT = 40
# One kill in so many comes before the worker has recovered from the last.
HASTY = 4


class RandomKills(Run):
    """Kill after kill."""

    name = 'random_kills'
    what = 'SIGKILL at random moments, one in four while the worker still starts; it is started again at once by the same name'

    def break_things(self):
        self.start_workers('w1')
        for number in range(self.bench.many(6, 130)):
            recovery = self.kill_and_measure()
            if number % HASTY == HASTY - 1:
                self.pause(0, 1.5)
            else:
                self.watch.wait(recovery, LIMIT)
                self.pause(0, 0.8)
        self.watch.moves_on(LIMIT)
