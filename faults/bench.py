"""What all runs share: the program, the brokers, the catalogs, the listings, and how long the whole may take."""

import shutil
from collections import Counter

from faults import catalogs
from faults.brokers import Brokers
from faults.common import call, say
from faults.processes import alone
from faults.scan import lines, scan
from faults.source import Source

# Brands with topics of their own.
OWN_TOPICS = 2


class Bench:
    """Prepared once."""

    def __init__(self, project, touchstone, data, seed, short, stale, soak, memory):
        self.touchstone, self.seed, self.short, self.stale = touchstone, seed, short, stale
        self.soak, self.memory = soak, memory
        # Of a run that failed, what it left stays here for a look.
        self.work = project / 'target' / 'faults' / 'work'
        self.work.parent.mkdir(parents=True, exist_ok=True)
        self.lock = alone(self.work.parent / 'lock')
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.brokers = Brokers(project / 'scripts', self.work / 'kafka')
        self._prepare(data)

    def _prepare(self, data):
        found = scan(self.touchstone, data / 'catalog', data / 'listings.jsonl', self.work, 'source')
        rows = [row for _, row in lines(found.suspects)]
        brands = [brand for brand, _ in Counter(row['brand_id'] for row in rows).most_common()]
        self.own_topics = brands[:OWN_TOPICS]
        # One that is found often, or a catalog without it would make no difference.
        self.dropped = brands[min(OWN_TOPICS, len(brands) - 1)]
        self.catalog = catalogs.with_own_topics(data / 'catalog', self.work / 'catalog', self.own_topics)
        self.smaller = catalogs.without_brand(self.catalog, self.work / 'catalog-smaller', self.dropped)
        for catalog in (self.catalog, self.smaller):
            call([self.touchstone, 'catalog', 'check', catalog])
        self.source = Source(data / 'listings.jsonl', {row['event_id'] for row in rows})
        say(f'{len(self.source.suspects)} suspect and {len(self.source.others)} other listings to feed, again and again')

    def many(self, short, long):
        """A number for the short form, or for the long one."""
        return short if self.short else long

    def close(self):
        """Ends the brokers."""
        self.brokers.stop()
