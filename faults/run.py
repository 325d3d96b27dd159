"""A run: feed, break, check. What breaks is in runs/, one file a kind; everything else of a run is here."""

import random
import shutil
import time

from confluent_kafka import KafkaException

from faults import topics
from faults.check import Checked, check
from faults.common import Trouble, call, say
from faults.crew import Crew
from faults.expectation import Segment
from faults.feed import Feed
from faults.watch import Watch

NUMBERS = ('kills', 'rebalances', 'outages', 'swaps', 'listings', 'suspects', 'dead_letters', 'lost', 'doubled', 'changed')
# How long the end of a run may take, and how many listings a second must pass at the least.
LAST, LEAST_RATE = 60, 500


class Run:
    """Made to be derived from: `break_things` is the run."""

    name = ''
    # A sentence for the report.
    what = ''
    brokers = 1
    partitions = 6
    # Small batches, so that faults fall in many places.
    worker = 'batch_listings = 200'
    # Listings a second, and how many may wait: always work, and never so much that the end takes long.
    rate = 3000
    most_ahead = 10_000
    events = {}
    # Whether workers take their catalog from its topic.
    follows = False

    def __init__(self, bench):
        self.bench = bench
        self.chance = random.Random(f'{bench.seed} {self.name}')
        self.folder = bench.work / self.name
        self.prefix = f'faults-{self.name.replace("_", "-")}.'
        self.group = f'{self.prefix}scan'
        self.rebalances = self.outages = self.swaps = 0
        self.segments, self.deleted, self.problems = [Segment(bench.catalog)], set(), []
        self.notes = []
        self.crew = self.watch = self.feed = None

    def break_things(self):
        """Starts workers and breaks something while they work."""
        raise NotImplementedError

    def before_end(self):
        """Once everything is committed, while the workers still run."""

    def inspect(self, checked):
        """Looks at more than the topics, where a run has more to look at."""

    def execute(self):
        """Does it all, and gives back the figures; a failure is one of them."""
        began = time.monotonic()
        checked = Checked()
        say(f'{self.name}:')
        try:
            self._set_up()
            self._guarded(self.break_things)
            checked = self._guarded(self._finish) or checked
        except (Trouble, KafkaException, OSError) as trouble:
            self._complain(trouble)
        finally:
            self._close()
        self.problems += checked.problems
        result = self._result(checked, time.monotonic() - began)
        say(f'  {"passed" if result["passed"] else "FAILED"} in {result["seconds"]:.0f} s')
        if result['passed']:
            shutil.rmtree(self.folder)
        return result

    # --- For runs ---

    def start_workers(self, *names, limit=60):
        """Starts workers and waits until the group works: several of them on every partition."""
        for name in names:
            self.crew.start(name)
        self.watch.moves_on(limit, every=len(names) > 1)

    def kill_and_measure(self, name='w1'):
        """Kills a worker that is started again at once; gives back what is measured."""
        self.watch.forget()
        self.crew.kill(name)
        return self.watch.begin('restart')

    def make_topics(self):
        """Makes the topics that there are not yet."""
        call([self.bench.touchstone, 'topics', 'create', '--config', self.crew['w1'].config])

    def publish(self, catalog):
        """Publishes a catalog; gives back its version."""
        # One of them may be far smaller than the other.
        command = [self.bench.touchstone, 'catalog', 'publish', catalog, '--config', self.crew['w1'].config, '--may-shrink']
        words, _ = call(command)
        return words.decode().split()[1].rstrip(':')

    def topic(self, name):
        """A topic of this run."""
        return f'{self.prefix}{name}'

    def pause(self, least, most):
        """Rests for a while, of the length that chance says."""
        time.sleep(self.chance.uniform(least, most))

    # --- Before and after ---

    def _set_up(self):
        bench = self.bench
        self.folder.mkdir()
        bench.brokers.start(self.brokers)
        at = bench.brokers.addresses
        settings = {
            'brokers': at, 'prefix': self.prefix, 'group': self.group, 'catalog': '' if self.follows else bench.catalog, 'worker': self.worker,
            'partitions': self.partitions, 'replication': min(self.brokers, 3),
        }
        self.crew = Crew(bench.touchstone, self.folder, settings)
        self.make_topics()
        if self.follows:
            self.publish(bench.catalog)
            # Those of brands are known only now.
            self.make_topics()
        self.watch = Watch(at, self.group, self.topic('listings'), self.partitions)
        events = bench.source.events(f'{bench.seed} {self.name}', stale=bench.stale, **self.events)
        self.feed = Feed(at, self.topic('listings'), events, self.rate, self.most_ahead, self.watch.taken).start()

    def _guarded(self, step):
        try:
            return step()
        except (Trouble, KafkaException, OSError) as trouble:
            self._complain(trouble)
            return None

    def _complain(self, trouble):
        self.problems.append(f'{type(trouble).__name__}: {trouble}' if not isinstance(trouble, Trouble) else str(trouble))
        say(f'  FAILED: {self.problems[-1]}')

    def _finish(self):
        if self.problems:
            self.bench.brokers.heal()
        self.feed.stop()
        # Whatever the run did to its workers, one is there to finish.
        if not self.crew.up():
            self.crew.start('w1')
        delivered = self.feed.delivered
        self._guarded(lambda: self.watch.wait_taken(delivered, LAST + (delivered - self.watch.taken()) / LEAST_RATE))
        say(f'  committed {self.watch.taken():,} of them')
        self._guarded(self.crew.check)
        self._guarded(self.before_end)
        self._guarded(self.crew.terminate_all)
        self.crew.close()
        checked = check(
            self.bench.touchstone, self.bench.brokers.addresses, self.prefix, self.segments, self.bench.own_topics,
            self.watch.offsets, self.folder, self.deleted,
        )
        if checked.listings != delivered:
            checked.problems.append(f'{delivered} listings were fed, and {checked.listings} are on the topic')
        self._guarded(lambda: self.inspect(checked))
        return checked

    def _close(self):
        for part in (self.crew, self.watch):
            if part:
                part.close()
        if self.feed:
            self.feed.stopping.set()
            self.feed.thread.join(10)
        if self.crew and not self.problems:
            # Brokers look through every partition when they come back from a kill.
            mine = {topic for topic in topics.names(self.bench.brokers.addresses) if topic.startswith(self.prefix)}
            self._guarded(lambda: topics.delete(self.bench.brokers.addresses, mine))

    def _result(self, checked, seconds):
        verdict = checked.verdict
        result = {
            'name': self.name,
            'seconds': round(seconds, 1),
            'kills': self.crew.kills if self.crew else 0,
            'rebalances': self.rebalances,
            'outages': self.outages,
            'swaps': self.swaps,
            'listings': checked.listings,
            'suspects': checked.suspects,
            'dead_letters': checked.dead_letters,
            'lost': verdict.lost,
            'doubled': verdict.doubled,
            'changed': verdict.changed,
            'outcomes': checked.outcomes,
            'worker_exits': self.crew.exits if self.crew else [],
            # Seconds of each recovery; the report makes figures of them.
            'recoveries': self.watch.figures() if self.watch else {},
            'notes': self.notes,
            'problems': self.problems + verdict.examples,
        }
        result['passed'] = verdict.is_green() and not self.problems
        return result
