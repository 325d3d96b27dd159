"""A peer that reads listings from Kafka: the same rule in a consumer and producer of confluent-kafka, exactly once, in one process.

A transaction holds the suspects and offsets of up to 2,000 listings; reads are committed ones only. Every round reads the first COUNT
messages of the topic as a group of its own, GROUP-1, GROUP-2 and so on, which must be new, and writes its suspects to the output topic,
which must exist. The clock runs from the assignment of partitions to the last commit; the processor's seconds are those of all threads,
librdkafka's included.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, Producer

from .rule import Counts, Rule
from .timing import Stopwatch, add_rounds, middle, positive, report, say, versions

BATCH = 2000
# Longer than any rebalance: with no message for so many seconds the topic has too few.
WAIT = 30.0


def consumer_of(bootstrap, group):
    """A consumer that starts at the beginning and leaves offsets to the transactions."""
    return Consumer({
        'bootstrap.servers': bootstrap, 'group.id': group, 'auto.offset.reset': 'earliest', 'enable.auto.commit': False,
        'isolation.level': 'read_committed',
    })


def producer_of(bootstrap, group):
    """A producer of transactions, with the scanner's settings."""
    producer = Producer({
        'bootstrap.servers': bootstrap, 'transactional.id': group, 'acks': 'all', 'linger.ms': 5, 'compression.type': 'zstd',
    })
    producer.init_transactions()
    return producer


def batches(consumer, count):
    """Lists of messages until there were so many."""
    done = 0
    while done < count:
        batch = consumer.consume(min(BATCH, count - done), timeout=WAIT)
        if not batch:
            raise SystemExit(f'no message for {WAIT:.0f} s after {done}: are there so many, and is the group new?')
        for message in batch:
            if message.error():
                raise KafkaException(message.error())
        done += len(batch)
        yield batch


def commit(producer, consumer, batch, suspects, output):
    """Publishes a batch's suspects together with its offsets."""
    producer.begin_transaction()
    for message, line in suspects:
        producer.produce(output, line, message.key())
    # Partitions of which nothing was read yet have no position.
    read = {(message.topic(), message.partition()) for message in batch}
    positions = [each for each in consumer.position(consumer.assignment()) if (each.topic, each.partition) in read]
    producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata())
    producer.commit_transaction()


def run(asked, rule, group):
    """Reads and judges COUNT messages; returns the seconds and the counts."""
    producer, consumer = producer_of(asked.bootstrap, group), consumer_of(asked.bootstrap, group)
    watches = []
    consumer.subscribe([asked.input], on_assign=lambda *_: watches.append(Stopwatch()))
    counts = Counts()
    try:
        for batch in batches(consumer, asked.count):
            judged = ((message, rule.scan(message.value(), counts)) for message in batch)
            suspects = [(message, line) for message, line in judged if line is not None]
            commit(producer, consumer, batch, suspects, asked.output)
        return watches[0].read(), counts
    finally:
        consumer.close()


def main():
    """Runs the rounds and reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--bootstrap', required=True, metavar='HOST:PORT')
    parser.add_argument('--catalog', type=Path, required=True, help='folder with brands.jsonl and fx.json')
    parser.add_argument('--input', required=True, metavar='TOPIC')
    parser.add_argument('--output', required=True, metavar='TOPIC')
    parser.add_argument('--group', required=True)
    parser.add_argument('--count', type=positive, required=True, help='messages of a round')
    parser.add_argument('--plain', action='store_true', help='titles only')
    add_rounds(parser)
    asked = parser.parse_args()
    rule = Rule(asked.catalog, asked.plain)
    taken, seen = [], []
    for number in range(1, asked.rounds + 1):
        say(f'round {number} of {asked.rounds}')
        seconds, counts = run(asked, rule, f'{asked.group}-{number}')
        taken.append(seconds)
        seen.append(counts)
    seconds = middle(taken)
    # Rounds need not see the same where the topic has several partitions: they read a beginning of each.
    report({
        'peer': 'kafka', 'text': 'title' if asked.plain else 'all', 'rounds': asked.rounds, 'messages': asked.count, 'batch': BATCH,
        **asdict(seen[-1]), 'flagged_all_rounds': sum(each.flagged for each in seen),
        **seconds.rates(asked.count, 'messages'), 'cpu_us_a_message': round(1e6 * seconds.cpu / asked.count, 3),
        'versions': versions('confluent-kafka', 'orjson', 'pyahocorasick'),
    })


if __name__ == '__main__':
    main()
