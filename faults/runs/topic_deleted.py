"""The topic of one brand is deleted at run time, and made again: nobody but its readers may notice."""

from faults import topics
from faults.common import Trouble, say, wait_for
from faults.run import Run

LIMIT = 60
# A worker looks for missing topics from time to time.
SEEN_AGAIN = 90
MISSING = 'touchstone_faults_total{reason="missing_topic"}'


class TopicDeleted(Run):
    """Deleted, missed, made again."""

    name = 'topic_deleted'
    what = 'the topic of one brand is deleted at run time and made again; what else is written stays complete'

    def break_things(self):
        self.start_workers('w1')
        brand = self.bench.own_topics[0]
        topic = self.topic(f'suspects.{brand}')
        self.deleted.add(brand)
        for _ in range(self.bench.many(1, 3)):
            self.wait_filled(topic, LIMIT)
            self.watch.forget()
            before = self.crew['w1'].metrics().get(MISSING, 0)
            topics.delete(self.bench.brokers.addresses, [topic])
            recovery = self.watch.begin('topic_deleted')
            self.watch.wait(recovery, LIMIT)
            wait_for(f'{MISSING} counts what has no topic', LIMIT, lambda: self.crew['w1'].metrics().get(MISSING, 0) > before, 0.5)
            say(f'  {topic} deleted: {recovery.seconds:.1f} s until the worker goes on')
            self.make_topics()
            self.wait_filled(topic, SEEN_AGAIN)

    def before_end(self):
        """That a topic is missing must be counted and stop nobody."""
        self.problems += [f'a missing topic of a brand stopped a worker: {words}' for words in self.crew.exits]

    def wait_filled(self, topic, limit):
        """Waits until the topic has suspects."""

        def filled():
            try:
                return sum(topics.ends(self.bench.brokers.addresses, topic).values()) > 0
            except Trouble:
                # Made just now: not every broker knows it yet.
                return False

        wait_for(f'{topic} has suspects', limit, filled, step=0.5)
