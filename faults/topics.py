"""Topics as a reader of committed records sees them, whole, and where they end."""

import logging
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from faults.common import Trouble, wait_for

LIMIT = 60
AT_ONCE = 5000
# What reading may take at the least speed that is bearable.
SECONDS_A_RECORD = 1 / 2000

# Clients complain about each broker that is killed: that is what they are for here.
QUIET = logging.getLogger('faults.kafka')
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


def client(brokers, **more):
    """What clients of every kind are set up with."""
    return {'bootstrap.servers': brokers, 'logger': QUIET, 'error_cb': lambda _error: None, **more}


def reader(brokers, group='faults-reader', isolation='read_committed', reset='error'):
    """A consumer that commits nothing and belongs to no group."""
    return Consumer(client(brokers, **{
        'group.id': group, 'enable.auto.commit': False, 'auto.offset.reset': reset, 'isolation.level': isolation,
        'enable.partition.eof': True, 'queued.min.messages': 50_000, 'check.crcs': True,
        # At the end of a partition, too, the answer comes at once.
        'fetch.wait.max.ms': 20, 'fetch.queue.backoff.ms': 10,
    }))


def ends(brokers, topic, isolation='read_committed'):
    """Of each partition the offset after its last record."""
    consumer = reader(brokers, isolation=isolation)
    try:
        found = consumer.list_topics(topic, timeout=LIMIT).topics[topic]
        if found.error:
            raise Trouble(f'{topic}: {found.error}')
        asked = [TopicPartition(topic, number) for number in found.partitions]
        return {one.partition: consumer.get_watermark_offsets(one, timeout=LIMIT, cached=False)[1] for one in asked}
    except KafkaException as failure:
        raise Trouble(f'{topic}: cannot tell its ends: {failure}') from failure
    finally:
        consumer.close()


def wait_closed(brokers, topic, limit=40):
    """Waits until no transaction is open: what was left open by a worker that stays away is aborted in its time."""

    def closed():
        return ends(brokers, topic) == ends(brokers, topic, 'read_uncommitted')

    wait_for(f'{topic}: all transactions are over', limit, closed, step=0.5)


def read(brokers, topic):
    """Every committed record from the beginning to the end of each partition; those of a partition are in order."""
    wait_closed(brokers, topic)
    left = ends(brokers, topic)
    deadline = time.monotonic() + LIMIT + sum(left.values()) * SECONDS_A_RECORD
    consumer = reader(brokers)
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in left])
        while left:
            if time.monotonic() > deadline:
                raise Trouble(f'{topic} could not be read to its end: {left}')
            for message in consumer.consume(AT_ONCE, timeout=0.1):
                error = message.error()
                if not error:
                    yield message
                # Told once everything before it was handed over.
                elif error.code() == KafkaError._PARTITION_EOF:
                    end = left.pop(message.partition(), message.offset())
                    if message.offset() < end:
                        raise Trouble(f'{topic} [{message.partition()}] ends at {message.offset()} and not at {end}')
                elif not error.retriable():
                    raise Trouble(f'{topic} [{message.partition()}]: {error}')
    finally:
        consumer.close()


def names(brokers):
    """All topics that there are."""
    return set(AdminClient(client(brokers)).list_topics(timeout=LIMIT).topics)


def delete(brokers, topics):
    """Deletes topics, and waits until they are gone."""
    admin = AdminClient(client(brokers))
    for topic, done in admin.delete_topics(list(topics), operation_timeout=LIMIT, request_timeout=LIMIT).items():
        try:
            done.result(LIMIT)
        except KafkaException as failure:
            raise Trouble(f'{topic} cannot be deleted: {failure}') from failure
    wait_for('deleted topics are gone', LIMIT, lambda: not names(brokers) & set(topics), step=0.2)
