"""What must have come out: the listings as their topic has them, scanned from a file, catalog by catalog.

The topic itself is read back, so that what is expected rests on what the worker was given, place by place, and not on what the
feed meant to write. Each partition's events are in order in the file, and a listing's are all in one partition. What a scan does
not tell, that suspicions are taken back, is worked out from what it finds in one event of a listing and the next.
"""

from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

from faults import topics, withdrawals
from faults.common import Trouble
from faults.oracle import Content, suspect
from faults.scan import authorised, lines, scan


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


class Made(NamedTuple):
    """A suspect as a scan makes it, and what is to be remembered of it."""

    identity: tuple
    content: Content
    found: withdrawals.Found


@dataclass
class Look:
    """What one catalog makes of all listings: suspects by event and brand, the lines that can't be used, how listings end, the
    versions, and whose sellers are authorised where a suspicion may have to be taken back."""

    made: dict
    dead: dict
    outcomes: dict
    versions: withdrawals.Versions
    authorised: set = frozenset()


def look(touchstone, catalog, given, folder, name):
    """Scans all listings with a catalog."""
    result = scan(touchstone, catalog, given.path, folder, name)
    if sum(result.outcomes.values()) != len(given):
        raise Trouble(f'scan tells the outcomes of {sum(result.outcomes.values())} of {len(given)} listings')
    made, versions = {}, None
    for payload, row in lines(result.suspects):
        identity, content, brand = suspect(payload)
        versions = versions or withdrawals.versions(row)
        if made.setdefault(identity[0], {}).setdefault(brand, Made(identity, content, withdrawals.found(row))).content is not content:
            raise Trouble(f'scan tells {identity} twice')
    dead = {row['offset']: row for _, row in lines(result.dead_letters)}
    return Look(made, dead, result.outcomes, versions)


def of_event(listing, before, seen_by):
    """What must come of an event by one catalog, given what stood of its listing `before`: content and brand by identity, and what
    stands after it by brand."""
    found = {} if listing['op'] == 'remove' else seen_by.made.get(listing['event_id'], {})
    content = {one.identity: (one.content, brand) for brand, one in found.items()}
    gone = sorted(before.keys() - found.keys())
    if gone and not seen_by.versions:
        raise Trouble('a catalog finds nothing at all: no version of it is told')
    for brand in gone:
        facts = withdrawals.expected(
            listing, brand, before[brand], seen_by.versions, (listing['event_id'], brand) in seen_by.authorised)
        identity = (listing['event_id'], brand, 0, 'withdraw')
        content[identity] = (Content(withdrawals.key(listing).encode(), withdrawals.digest(facts)), brand)
    return content, {brand: one.found for brand, one in found.items()}


def chosen(first, second, seen):
    """Of what two catalogs make of an event: all that the first makes where just that was seen, else all that the second makes."""
    is_first = {(identity, content) for identity, (content, _) in first[0].items()} == seen
    return first if is_first else second


def expect(touchstone, given, segments, folder, taken=None, observed=None):
    """Scans with each catalog, and takes from each what its segment holds.

    `taken` are the group's offsets where it has not come to the end: of what stands behind them nothing is expected yet.
    `observed` are pairs of identity and content by event, where some segment is of two catalogs.
    """
    catalogs = list(dict.fromkeys(c for segment in segments for c in (segment.catalog, segment.other) if c))
    looks = {catalog: look(touchstone, catalog, given, folder, f'catalog-{number}') for number, catalog in enumerate(catalogs)}
    # What cannot be used is no matter of catalogs.
    dead = looks[catalogs[0]].dead
    if any(one.dead.keys() != dead.keys() for one in looks.values()):
        raise Trouble('catalogs differ in what cannot be used')
    changed = folder / 'changed.jsonl'
    _write_changed(given.path, dead, changed)
    for number, catalog in enumerate(catalogs if changed.stat().st_size else ()):
        looks[catalog].authorised = authorised(touchstone, catalog, changed, folder, f'catalog-{number}')

    def segment_of(place):
        if taken and place[1] >= taken.get(place[0], 0):
            return None
        return next(segment for segment in segments if segment.holds(place))

    expected, stands = Expected(), {}
    for number, listing, _ in withdrawals.live(given.path, dead):
        segment = segment_of(given.place(number))
        if not segment:
            continue
        name = withdrawals.key(listing)
        before = stands.pop(name, {})
        content, after = of_event(listing, before, looks[segment.catalog])
        if segment.other:
            other = of_event(listing, before, looks[segment.other])
            content, after = chosen((content, after), other, (observed or {}).get(listing['event_id'], set()))
        if after:
            stands[name] = after
        for identity, (one, brand) in content.items():
            expected.suspects[identity] = one
            expected.of_brands.setdefault(brand, set()).add(identity)
    keys = given.keys_of(dead)
    for line, row in dead.items():
        place = given.place(line)
        if segment_of(place):
            expected.dead_letters[place] = Content(keys[line], f'{row["reason"]} {row["sha256"]}'.encode())
    if len(catalogs) == 1:
        expected.outcomes = looks[catalogs[0]].outcomes
    return expected


def _write_changed(path, dead, target):
    """The events that find suspicions to take back: those that change a listing."""
    wanted = {number for number, listing, is_first in withdrawals.live(path, dead) if not is_first and listing['op'] != 'remove'}
    with open(path, 'rb') as source, open(target, 'wb') as changed:
        changed.writelines(line for number, line in enumerate(source, 1) if number in wanted)
