"""What must have come out: the listings as their topic has them, scanned from a file, catalog by catalog.

The topic itself is read back, so that what is expected rests on what the worker was given, place by place, and not on what the
feed meant to write. Each partition's events are in order in the file, and a listing's are all in one partition.
"""

import re
from array import array
from dataclasses import dataclass, field

from faults import topics
from faults.common import Trouble
from faults.oracle import Content, suspect
from faults.scan import lines, scan

EVENT_ID = re.compile(rb'\{"event_id": ?"([^"]*)"')


class Input:
    """The listings of a topic: a file of payloads, and each line's place and key."""

    def __init__(self, brokers, topic, folder):
        self.path, self.keys = folder / 'listings.jsonl', folder / 'keys'
        self.partitions, self.offsets = array('i'), array('q')
        self.ends = topics.ends(brokers, topic)
        with open(self.path, 'wb') as payloads, open(self.keys, 'wb') as keys:
            for message in topics.read(brokers, topic):
                payloads.write(message.value() + b'\n')
                keys.write(message.key() + b'\n')
                self.partitions.append(message.partition())
                self.offsets.append(message.offset())
        if len(self) != sum(self.ends.values()):
            raise Trouble(f'{topic} has {sum(self.ends.values())} records and {len(self)} were read')

    def __len__(self):
        return len(self.offsets)

    def place(self, line):
        """Partition and offset of a line, the first of which is 1."""
        return self.partitions[line - 1], self.offsets[line - 1]

    def places(self):
        """Partition and offset by event_id."""
        with open(self.path, 'rb') as file:
            found = ((EVENT_ID.match(line), number) for number, line in enumerate(file, 1))
            return {match[1].decode(): self.place(number) for match, number in found if match}

    def keys_of(self, wanted):
        """Keys by line."""
        with open(self.keys, 'rb') as file:
            return {number: line[:-1] for number, line in enumerate(file, 1) if number in wanted}


@dataclass
class Segment:
    """A catalog, and of each partition the offset at which the next one took over; none for the last.

    Where nobody can say which of two catalogs an event was scanned with, `other` is the second: all that is told of the event
    must then be what one of them makes of it.
    """

    catalog: object
    until: dict = None
    other: object = None

    def holds(self, place):
        """Whether the event of this place was scanned with it, given that no segment before holds it."""
        return self.until is None or place[1] < self.until.get(place[0], 0)


@dataclass
class Expected:
    """Content by identity, and how listings end; the outcomes are told where there is one catalog."""

    suspects: dict = field(default_factory=dict)
    of_brands: dict = field(default_factory=dict)
    dead_letters: dict = field(default_factory=dict)
    outcomes: dict = field(default_factory=dict)


class Either:
    """Events that were scanned with one of two catalogs: what each makes of them, and what was seen."""

    def __init__(self, observed):
        self.observed, self.made = observed, {}

    def add(self, catalog, identity, content, brand):
        """What a catalog makes of an event, whose id comes first in the identity."""
        self.made.setdefault(catalog, {}).setdefault(identity[0], {})[identity] = (content, brand)

    def chosen(self, event_id, first, second):
        """What is expected: all that the first makes of it where just that was seen, else all that the second makes of it."""
        seen = self.observed.get(event_id, set())
        made = [self.made.get(catalog, {}).get(event_id, {}) for catalog in (first, second)]
        is_first = {(identity, content) for identity, (content, _) in made[0].items()} == seen
        return made[0] if is_first else made[1]


def expect(touchstone, given, segments, folder, taken=None, observed=None):
    """Scans with each catalog, and takes from each what its segment holds.

    `taken` are the group's offsets where it has not come to the end: of what stands behind them nothing is expected yet.
    `observed` are pairs of identity and content by event, where some segment is of two catalogs.
    """
    catalogs = list(dict.fromkeys(c for segment in segments for c in (segment.catalog, segment.other) if c))
    either, open_events = Either(observed or {}), {}
    places = given.places() if len(catalogs) > 1 or taken else {}
    expected = Expected()
    for number, catalog in enumerate(catalogs):
        result = scan(touchstone, catalog, given.path, folder, f'catalog-{number}')
        if sum(result.outcomes.values()) != len(given):
            raise Trouble(f'scan tells the outcomes of {sum(result.outcomes.values())} of {len(given)} listings')

        def segment_of(place):
            if taken and place[1] >= taken.get(place[0], 0):
                return None
            return next(segment for segment in segments if segment.holds(place))

        def is_held(place, own=catalog):
            segment = segment_of(place)
            return segment is not None and segment.catalog == own

        for payload, _ in lines(result.suspects):
            identity, content, brand = suspect(payload)
            segment = segment_of(places[identity[0]]) if places else None
            if segment and segment.other and catalog in (segment.catalog, segment.other):
                either.add(catalog, identity, content, brand)
                open_events[identity[0]] = segment
            elif not places or is_held(places[identity[0]]):
                if identity in expected.suspects:
                    raise Trouble(f'scan tells {identity} twice')
                expected.suspects[identity] = content
                expected.of_brands.setdefault(brand, set()).add(identity)
        dead = [row for _, row in lines(result.dead_letters)]
        keys = given.keys_of({row['offset'] for row in dead})
        for row in dead:
            place = given.place(row['offset'])
            if not places or is_held(place):
                content = f'{row["reason"]} {row["sha256"]}'.encode()
                expected.dead_letters[place] = Content(keys[row['offset']], content)
        if len(catalogs) == 1:
            expected.outcomes = result.outcomes
    for event_id, segment in open_events.items():
        for identity, (content, brand) in either.chosen(event_id, segment.catalog, segment.other).items():
            expected.suspects[identity] = content
            expected.of_brands.setdefault(brand, set()).add(identity)
    return expected
