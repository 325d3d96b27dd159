"""Feeds a topic from a thread of its own, so that things break meanwhile: at a pace, and never too far ahead of the worker."""

import itertools
import threading
import time

from confluent_kafka import KafkaException, Producer

from faults.common import Trouble, say
from faults.topics import client

CHUNK = 50
# Longer than any outage.
DELIVERY = 300


class Feed:
    """Writes events in order until it is told to stop, or there are no more."""

    def __init__(self, brokers, topic, events, rate, most_ahead, taken):
        """`rate` is in listings a second, none for as fast as it goes; `taken` tells how many the worker has committed."""
        self.topic, self.events, self.rate, self.most_ahead, self.taken = topic, events, rate, most_ahead, taken
        self.sent = self.delivered = 0
        self.failure = None
        self.stopping = threading.Event()
        self.producer = Producer(client(
            brokers,
            # Each once and in order, whatever the brokers do: the input is not what is judged here.
            **{'enable.idempotence': True, 'acks': 'all', 'linger.ms': 20, 'compression.type': 'lz4',
               'message.timeout.ms': DELIVERY * 1000, 'queue.buffering.max.messages': 100_000,
               'queue.buffering.max.kbytes': 262_144},
        ))
        self.thread = threading.Thread(target=self._run, name='feed', daemon=True)

    def start(self):
        """Begins."""
        self.thread.start()
        return self

    def stop(self):
        """Ends the stream, and waits until the brokers have all of it."""
        self.stopping.set()
        self.thread.join(DELIVERY)
        left = self.producer.flush(DELIVERY)
        if self.failure or left or self.delivered != self.sent:
            raise Trouble(f'the feed: {self.delivered} of {self.sent} listings were delivered ({self.failure or "too late"})')
        say(f'  fed {self.delivered:,} listings')

    def _run(self):
        try:
            self._feed()
        except (KafkaException, BufferError, OSError, ValueError) as failure:
            self.failure = failure

    def _feed(self):
        budget, last = 0.0, time.monotonic()
        while not self.stopping.is_set() and not self.failure:
            self.producer.poll(0)
            now = time.monotonic()
            # What could not be sent in an outage is not made up for at once.
            budget = min(budget + (self.rate or 1e9) * (now - last), max((self.rate or 1e9) * 0.2, CHUNK))
            last = now
            if budget < CHUNK or self.sent - self.taken() >= self.most_ahead:
                self.producer.poll(0.01)
                continue
            budget -= CHUNK
            chunk = list(itertools.islice(self.events, CHUNK))
            if not chunk:
                return
            for key, payload in chunk:
                self._send(key, payload)

    def _send(self, key, payload):
        while not self.failure:
            try:
                self.producer.produce(self.topic, payload, key, on_delivery=self._told)
                self.sent += 1
                return
            except BufferError:
                self.producer.poll(0.05)

    def _told(self, error, _message):
        if error:
            self.failure = error
        else:
            self.delivered += 1
