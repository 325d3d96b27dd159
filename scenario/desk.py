"""The play's side of Kafka: sends the records of a stage, waits until all that follows from them is written, and hands it over."""

import json
import time
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from faults import processes, topics
from faults.common import Trouble
from faults.worker import Worker

SENT = ('listings', 'verdicts', 'notices', 'appeals', 'receipts')
# Of these the deciding worker commits how far it is.
DECIDED = ('suspects', 'verdicts', 'notices', 'appeals', 'receipts')
READ = (*DECIDED, 'removals', 'standing', 'links', 'cases', 'dead-letters')
STILL = 2.0
LIMIT = 120


class Record(NamedTuple):
    """A record as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: dict

    def row(self):
        """Its JSON; nothing where it is none."""
        try:
            found = json.loads(self.value)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


class RoleWorker(Worker):
    """A worker of one role."""

    role = 'scan'

    def start(self, fail_point=None):
        """Starts it."""
        self.child = processes.start([self.touchstone, 'run', '--config', self.config, '--role', self.role], self.log)


class Decider(RoleWorker):
    """The worker that decides."""

    role = 'decide'


class Desk:
    """Topics of one prefix."""

    def __init__(self, brokers, prefix, group):
        self.prefix = prefix
        self.producer = Producer(topics.client(brokers, **{'enable.idempotence': True, 'acks': 'all', 'linger.ms': 5,
                                                           'partitioner': 'murmur2_random'}))
        self.reader = topics.reader(brokers)
        self.groups = {name: topics.reader(brokers, name) for name in (group, f'{group}-decide')}
        self.scanning, self.deciding = self.groups
        found = self.reader.list_topics(timeout=topics.LIMIT).topics
        missing = [name for name in (*SENT, *READ) if prefix + name not in found]
        if missing:
            raise Trouble(f'topics create did not make {", ".join(missing)}')
        places = {name: sorted(found[prefix + name].partitions) for name in (*SENT, *READ)}
        self.reader.assign([TopicPartition(prefix + name, number, 0) for name in READ for number in places[name]])
        # Of each partition the offset after the last record, of those that are read by workers.
        self.after = {(name, number): 0 for name in {*SENT, *DECIDED} for number in places[name]}
        self.failure = None

    def send(self, topic, key, row):
        """Sends a record; bytes are sent as they are."""
        value = row if isinstance(row, bytes) else json.dumps(row).encode()
        self.producer.produce(self.prefix + topic, value, key.encode(), on_delivery=self._told)
        self.producer.poll(0)

    def settle(self, meanwhile=None):
        """Waits until the workers have taken everything and nothing is written for a while; gives back what was read."""
        if self.producer.flush(LIMIT) or self.failure:
            raise Trouble(f'records could not be sent: {self.failure}')
        came, quiet, deadline = [], time.monotonic(), time.monotonic() + LIMIT
        while True:
            if meanwhile:
                meanwhile()
            new = self._read()
            came += new
            if new or not self._taken():
                quiet = time.monotonic()
            elif time.monotonic() - quiet >= STILL:
                return came
            if time.monotonic() > deadline:
                raise Trouble(f'the workers did not take everything within {LIMIT} s: {self._left()}')

    def close(self):
        """Ends."""
        for consumer in (self.reader, *self.groups.values()):
            consumer.close()

    def _read(self):
        found = []
        for message in self.reader.consume(2000, timeout=0.1):
            error = message.error()
            if error:
                if error.code() != KafkaError._PARTITION_EOF and not error.retriable():
                    raise Trouble(f'{message.topic()}: {error}')
                continue
            name = message.topic().removeprefix(self.prefix)
            headers = {key: (value or b'').decode(errors='replace') for key, value in message.headers() or ()}
            found.append(Record(name, message.partition(), message.offset(), message.key(), message.value(), headers))
            self._after(name, message)
        return found

    def _left(self):
        """What is behind: group, topic, partition, committed and end."""
        left = []
        for group, names in ((self.scanning, ('listings',)), (self.deciding, DECIDED)):
            asked = [place for place, end in self.after.items() if place[0] in names and end]
            if not asked:
                continue
            try:
                told = self.groups[group].committed([TopicPartition(self.prefix + name, number) for name, number in asked], timeout=10)
            except KafkaException as failure:
                return [str(failure)]
            left += [(group, *place, one.offset, self.after[place]) for place, one in zip(asked, told) if one.offset < self.after[place]]
        return left

    def _taken(self):
        return not self._left()

    def _after(self, name, message):
        place = (name, message.partition())
        if place in self.after:
            self.after[place] = max(self.after[place], message.offset() + 1)

    def _told(self, error, message):
        if error:
            self.failure = error
        else:
            self._after(message.topic().removeprefix(self.prefix), message)
