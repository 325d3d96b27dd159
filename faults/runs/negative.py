"""The negative control: workers that are wrong on purpose must turn the oracle red, or its green means nothing.

One that commits too early and one that commits too late (faults/control.py) are killed in between; the late one is also left
alone, and must come out green: what turns the oracle red is the kill and not the way the control is made.
"""

import itertools
import sys
import time

from confluent_kafka import KafkaException

from faults import processes, topics
from faults.check import check
from faults.common import Trouble, call, say, wait_for
from faults.expectation import Segment
from faults.feed import Feed
from faults.scan import scan
from faults.watch import Watch
from faults.worker import Worker

PARTITIONS = 4
LISTINGS = 1500
LIMIT = 60
# Lines that a control writes before the next kill.
BETWEEN = 3


class Control:
    """One order of steps, killed or not."""

    def __init__(self, bench, order, kills, expected):
        self.bench, self.order, self.kills, self.expected = bench, order, kills, expected
        self.name = f'control_{order}' if kills else f'control_{order}_left_alone'
        self.folder = bench.work / self.name
        self.prefix = f'faults-{self.name.replace("_", "-")}.'
        self.watch = self.feed = self.child = None

    def execute(self):
        """Feeds, kills and checks; passed when the oracle says what it must."""
        say(f'{self.name}:')
        began, result = time.monotonic(), {'name': self.name, 'kills': self.kills, 'expected': self.expected, 'problems': []}
        try:
            checked = self._run()
            verdict = checked.verdict
            result |= {'listings': checked.listings, 'suspects': checked.suspects, 'lost': verdict.lost, 'doubled': verdict.doubled}
            # Whatever the oracle finds beside is wrong: it must see the fault that is there, and no other.
            found = {kind for kind in ('lost', 'doubled', 'changed') if getattr(verdict, kind)}
            wanted = set() if self.expected == 'green' else {self.expected}
            result |= {'found': sorted(found), 'passed': found == wanted and not checked.problems}
            result['problems'] = checked.problems
        except (Trouble, KafkaException, OSError) as trouble:
            result |= {'passed': False, 'problems': [str(trouble)]}
        finally:
            self._close()
        result['seconds'] = round(time.monotonic() - began, 1)
        say(f'  expected {self.expected}, found {result.get("found")}: {"passed" if result["passed"] else "FAILED"}')
        return result

    def _run(self):
        bench, self.child = self.bench, None
        self.folder.mkdir()
        bench.brokers.start(1)
        at = bench.brokers.addresses
        # Its configuration alone is wanted, to make the topics.
        config = Worker('topics', bench.touchstone, self.folder, {
            'brokers': at, 'prefix': self.prefix, 'group': f'{self.prefix}scan', 'catalog': bench.catalog, 'worker': '',
            'partitions': PARTITIONS, 'replication': 1,
        }).config
        call([bench.touchstone, 'topics', 'create', '--config', config])
        events = list(itertools.islice(bench.source.events(bench.seed, stale=False, spoil=False, change=False), LISTINGS))
        file = self.folder / 'events.jsonl'
        file.write_bytes(b''.join(payload + b'\n' for _, payload in events))
        found = scan(bench.touchstone, bench.catalog, file, self.folder, 'found').suspects
        self.watch = Watch(at, f'{self.prefix}scan', f'{self.prefix}listings', PARTITIONS)
        self.feed = Feed(at, f'{self.prefix}listings', iter(events), None, LISTINGS * 2, lambda: 0).start()
        self._work(found)
        self.feed.stop()
        segments = [Segment(bench.catalog)]
        return check(bench.touchstone, at, self.prefix, segments, (), self.watch.offsets, self.folder)

    def _work(self, found):
        """Kills it when it says that it is between its steps, starts it again, and lets it finish in the end."""
        command = [
            sys.executable, '-m', 'faults.control', self.order, '--brokers', self.bench.brokers.addresses, '--prefix', self.prefix,
            '--partitions', PARTITIONS, '--suspects', found,
        ]
        log = self.folder / 'log'
        log.touch()

        def told():
            return log.read_bytes().count(b'between')

        for _ in range(self.kills):
            goal = told() + BETWEEN
            self.child = processes.start(command, log)
            # The control rests between its steps for longer than it takes to see that.
            wait_for('the control is between its steps', LIMIT, lambda: told() >= goal, 0.005)
            processes.end(self.child)
        self.child = processes.start(command, log)
        self.watch.wait_taken(LISTINGS, LIMIT)
        # The last batch may be committed and not yet written.
        time.sleep(1)
        processes.end(self.child)

    def _close(self):
        if self.child and self.child.poll() is None:
            processes.end(self.child)
        if self.feed:
            self.feed.stopping.set()
        if self.watch:
            self.watch.close()
        try:
            at = self.bench.brokers.addresses
            topics.delete(at, [topic for topic in topics.names(at) if topic.startswith(self.prefix)])
        except (Trouble, KafkaException) as trouble:
            say(f'  {trouble}')


def controls(bench):
    """All of them."""
    kills = bench.many(3, 4)
    return [Control(bench, 'early', kills, 'lost'), Control(bench, 'late', kills, 'doubled'), Control(bench, 'late', 0, 'green')]
