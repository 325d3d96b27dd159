"""The workers of a run, looked after as a supervisor would: one that ends by itself with a failure is started again.

Workers may end themselves when they cannot go on (exit code 1, a sentence in the log): that is their contract and no fault, as
long as they are started again. How often it happened is counted.
"""

import threading
import time

from faults.common import Trouble, say
from faults.worker import Worker

# A supervisor rests before it starts one again.
REST = 1.0
# One that ends again and again does not work at all.
MOST_EXITS = 30


class Crew:
    """Workers by name."""

    def __init__(self, touchstone, folder, settings):
        self.touchstone, self.folder, self.settings = touchstone, folder, settings
        self.workers, self.wanted = {}, set()
        self.kills, self.exits = 0, []
        self.lock = threading.RLock()
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._tend, name='supervisor', daemon=True)
        self.thread.start()

    def __getitem__(self, name):
        if name not in self.workers:
            self.workers[name] = Worker(name, self.touchstone, self.folder, self.settings)
        return self.workers[name]

    def start(self, name, **changes):
        """Starts a worker and looks after it."""
        with self.lock:
            worker = self[name]
            if changes:
                worker.configure(**changes)
            worker.start()
            self.wanted.add(name)
        return worker

    def start_to_fail(self, name, fail_point):
        """Starts a worker that is to die: nobody starts it again."""
        with self.lock:
            self.wanted.discard(name)
            self[name].start(fail_point)
        return self[name]

    def kill(self, name, again=True):
        """Kills a worker, and starts it again at once unless it is to stay away; gives back when it died."""
        with self.lock:
            worker = self.workers[name]
            died = worker.lives()
            worker.kill()
            at = time.monotonic()
            # One that had ended by itself just before was not killed.
            self.kills += died
            self.wanted.discard(name)
            if again:
                self.start(name)
        return at

    def terminate(self, name):
        """Lets a worker finish; it stays away."""
        with self.lock:
            self.wanted.discard(name)
        worker = self.workers[name]
        # One that could not go on just now ends as one that could not go on.
        if worker.lives() and worker.terminate():
            self._note(worker)

    def up(self):
        """Names of the workers that are to run."""
        return sorted(self.wanted)

    def terminate_all(self):
        """Lets all of them finish."""
        for name in self.up():
            self.terminate(name)

    def close(self):
        """Ends all of them, wherever they are."""
        self.closing.set()
        self.thread.join(10)
        self.wanted.clear()
        for worker in self.workers.values():
            if worker.lives():
                worker.kill()

    def check(self):
        """Complains about workers that do not stay up."""
        if len(self.exits) > MOST_EXITS:
            raise Trouble(f'workers ended by themselves {len(self.exits)} times, last: {self.exits[-1]}')

    def _note(self, worker):
        self.exits.append(f'{worker.name} ended with {worker.child.returncode}: {worker.last_words()}')
        say(f'  {self.exits[-1][:300]}')

    def _tend(self):
        ended = {}
        while not self.closing.wait(0.1):
            with self.lock:
                for name in list(self.wanted):
                    worker = self.workers[name]
                    if worker.lives():
                        ended.pop(name, None)
                    elif name not in ended:
                        ended[name] = time.monotonic()
                        self._note(worker)
                    elif time.monotonic() - ended[name] >= REST and len(self.exits) <= MOST_EXITS:
                        worker.start()
