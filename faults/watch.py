"""Watches how far the group has committed, and measures how long it stands still after a fault.

Offsets are committed in one transaction with the suspects, so a partition that moves on has its suspects committed.
"""

import threading
import time

from confluent_kafka import KafkaException, TopicPartition

from faults.common import Trouble, median, wait_for
from faults.topics import reader

STEP = 0.05
CALL = 2
# A commit made just before a fault may be seen just after it.
SETTLE = 0.2


class Recovery:
    """From a fault until the group moves on."""

    def __init__(self, kind, every):
        self.kind, self.every = kind, every
        self.began = time.monotonic()
        self.before = self.seconds = None
        # Partitions that have not moved on yet.
        self.still = 'all'

    def look(self, asked, told, offsets):
        """Heeds offsets that were asked for and told at these times."""
        if self.before is None:
            if asked >= self.began + SETTLE:
                self.before = dict(offsets)
            return
        self.still = [partition for partition, before in self.before.items() if offsets[partition] <= before]
        if not self.still if self.every else len(self.still) < len(self.before):
            self.seconds = told - self.began


class Watch:
    """The committed offsets of a group, asked for again and again by a thread of its own."""

    def __init__(self, brokers, group, topic, partitions):
        self.consumer = reader(brokers, group)
        self.asked = [TopicPartition(topic, number) for number in range(partitions)]
        self.offsets = dict.fromkeys(range(partitions), 0)
        self.asked_at = 0.0
        self.open, self.recovered = [], []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._run, name='watch', daemon=True)
        self.thread.start()

    def taken(self):
        """How many listings are committed in all; topics begin at offset 0."""
        return sum(self.offsets.values())

    def begin(self, kind, every=False):
        """Measures from now on: until one partition moves on, or every one of them."""
        recovery = Recovery(kind, every)
        with self.lock:
            self.open.append(recovery)
        return recovery

    def wait(self, recovery, limit):
        """Waits until the group has moved on."""
        try:
            wait_for(f'the group moves on after {recovery.kind or "a start"}', limit, lambda: recovery.seconds is not None, STEP)
        except Trouble as late:
            raise Trouble(f'{late}, and partitions {recovery.still} stand still') from late

    def moves_on(self, limit, every=False):
        """Waits until the group moves on, and measures nothing."""
        self.wait(self.begin('', every), limit)

    def forget(self):
        """Measures no more what a further fault has prolonged."""
        with self.lock:
            self.open = []

    def figures(self):
        """Seconds of each recovery, by the kind of fault."""
        kinds = {}
        for recovery in self.recovered:
            if recovery.kind:
                kinds.setdefault(recovery.kind, []).append(recovery.seconds)
        return kinds

    def wait_fresh(self, limit):
        """Waits until the offsets are no older than this call."""
        began = time.monotonic() + SETTLE
        wait_for('the committed offsets are told', limit, lambda: self.asked_at >= began, STEP)

    def wait_taken(self, count, limit):
        """Waits until so many listings are committed."""
        try:
            wait_for('everything is committed', limit, lambda: self.taken() >= count, STEP)
        except Trouble as late:
            raise Trouble(f'{late}: {self.taken():,} of {count:,} listings') from late

    def close(self):
        """Ends."""
        self.closing.set()
        self.thread.join(3 * CALL)
        self.consumer.close()

    def _run(self):
        while not self.closing.wait(STEP):
            asked = time.monotonic()
            try:
                answer = self.consumer.committed(self.asked, timeout=CALL)
            except KafkaException:
                # No broker answers, or a transaction is still open: no news.
                continue
            if any(one.error for one in answer):
                continue
            offsets = {one.partition: max(one.offset, 0) for one in answer}
            with self.lock:
                self.offsets, self.asked_at = offsets, asked
                for recovery in self.open:
                    recovery.look(asked, time.monotonic(), offsets)
                self.recovered += [one for one in self.open if one.seconds is not None]
                self.open = [one for one in self.open if one.seconds is None]


def shown(kinds):
    """Figures as the report has them."""
    return {
        kind: {'count': len(seconds), 'median': round(median(seconds), 2), 'worst': round(max(seconds), 2)}
        for kind, seconds in sorted(kinds.items())
    }
