"""The worker dies by itself at each step of its transaction, named by TOUCHSTONE_FAIL_POINT=NAME:N."""

import signal

from faults.common import Trouble, say
from faults.run import Run

# Steps that every batch takes, where the worker dies at the Nth time.
STEPS = ('scanned', 'begun', 'sent', 'flushed', 'offsets_sent', 'committed')
MOST_TIMES = 12
LIMIT = 40


class FailPoints(Run):
    """One step after the other, again and again."""

    name = 'fail_points'
    what = 'the worker dies by SIGABRT at each step of its transaction, where it reads its state back, and where partitions are taken away'

    def break_things(self):
        for _ in range(self.bench.many(1, 6)):
            points = [f'{step}:{self.chance.randint(1, MOST_TIMES)}' for step in STEPS] + ['restored:1']
            self.chance.shuffle(points)
            for point in points:
                # The successor of the one that died just now.
                self.see_death(self.crew.start_to_fail('w1', point), point)
            self.die_when_revoked()

    def see_death(self, worker, point):
        """Waits for the death that was asked for; what comes after it is measured."""
        code = worker.wait_death(LIMIT)
        self.watch.forget()
        if code == -signal.SIGABRT:
            self.crew.kills += 1
            self.watch.begin('restart')
            return
        self.problems.append(f'at {point} the worker {"went on" if code is None else f"ended with {code}"}, and was to die by SIGABRT')
        say(f'  FAILED: {self.problems[-1]}')
        if code is None:
            self.crew.kill('w1', again=False)

    def die_when_revoked(self):
        """A second worker joins, and the first dies while it gives partitions away."""
        worker = self.crew.start_to_fail('w1', 'revoked:1')
        self.watch.moves_on(LIMIT, every=True)
        self.crew.start('w2')
        self.see_death(worker, 'revoked:1')
        self.crew.start('w1')
        self.watch.moves_on(LIMIT, every=True)
        if not self.crew['w2'].lives():
            raise Trouble(f'the second worker has ended: {self.crew["w2"].last_words()}')
        # Gone until the group has forgotten it, so that its joining again takes partitions away again.
        self.crew.terminate('w2')
        self.watch.moves_on(LIMIT, every=True)
        self.crew.terminate('w1')
