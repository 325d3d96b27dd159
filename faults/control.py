"""Two workers that are wrong on purpose, for the oracle to find out: `python -m faults.control`.

`early` commits its offsets before it writes its suspects, `late` writes its suspects before it commits its offsets, both without
a transaction. Killed in between, the one loses and the other doubles. Suspects are not made here but taken from a scan.
"""

import argparse
import time

from confluent_kafka import OFFSET_STORED, Producer, TopicPartition

from faults import topics
from faults.oracle import suspect
from faults.scan import lines

BATCH = 100


def arguments():
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('order', choices=('early', 'late'))
    parser.add_argument('--brokers', required=True)
    parser.add_argument('--prefix', required=True)
    parser.add_argument('--partitions', type=int, required=True)
    parser.add_argument('--suspects', required=True, help='what scan finds in the listings')
    return parser.parse_args()


class Control:
    """Takes listings in batches and writes the suspects that a scan found in them."""

    def __init__(self, asked):
        self.topic = f'{asked.prefix}suspects'
        self.found = {}
        for line, row in lines(asked.suspects):
            self.found.setdefault(row['event_id'].encode(), []).append((suspect(line)[1].key, line))
        self.consumer = topics.reader(asked.brokers, f'{asked.prefix}scan', reset='earliest')
        # By hand, so that one that comes back need not wait for its predecessor to be forgotten.
        self.consumer.assign([TopicPartition(f'{asked.prefix}listings', number, OFFSET_STORED) for number in range(asked.partitions)])
        self.producer = Producer(topics.client(asked.brokers, **{'enable.idempotence': True}))

    def commit(self, batch):
        """What was taken will not come again."""
        after = {}
        for message in batch:
            after[message.partition()] = message.offset() + 1
        topic = batch[0].topic()
        self.consumer.commit(offsets=[TopicPartition(topic, *place) for place in after.items()], asynchronous=False)

    def write(self, batch):
        """What was found in it."""
        for message in batch:
            event_id = message.value().split(b'"', 4)[3]
            for key, payload in self.found.get(event_id, ()):
                self.producer.produce(self.topic, payload, key)
        self.producer.flush()

    def run(self, steps):
        """Goes on until it is killed, and tells each time that it is between its steps."""
        while True:
            batch = [message for message in self.consumer.consume(BATCH, timeout=0.5) if not message.error()]
            if not batch:
                continue
            steps[0](batch)
            print('between', flush=True)
            # Long enough to be killed in.
            time.sleep(0.1)
            steps[1](batch)


if __name__ == '__main__':
    ASKED = arguments()
    CONTROL = Control(ASKED)
    CONTROL.run((CONTROL.commit, CONTROL.write) if ASKED.order == 'early' else (CONTROL.write, CONTROL.commit))
