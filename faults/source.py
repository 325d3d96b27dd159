"""The listings that are fed: real ones again and again, numbered, with updates, edits, removals, stale revisions and spoiled payloads.

Suspects are few among real listings. Here every fourth listing is one, so that whatever is lost or doubled shows. A listing's
events have one key, hence one partition and one order, on the topic as in the file that is scanned.
"""

import json
import random
from collections import deque

# One listing in so many is a suspect, an update, an edit, a stale one, a removal, a spoiled one, a long one.
SUSPECT, UPDATE, EDIT, STALE, REMOVE, SPOIL, LONG = 4, 23, 37, 17, 61, 41, 97
# How many listings back a change or a stale revision may reach.
WINDOW = 3000
REVISION = 1000
# Bytes of a long description.
LENGTH = 60_000


class Row:
    """A listing as a template: what changes from one copy to the next stands in front."""

    def __init__(self, listing):
        own = ('event_id', 'op', 'platform', 'market', 'listing_id', 'revision')
        self.event_id, self.listing_id = listing['event_id'], listing['listing_id']
        self.place = f'{listing["platform"]}:{listing["market"]}'
        self.platform, self.market = json.dumps(listing['platform']), json.dumps(listing['market'])
        for image in listing.get('images') or []:
            # Beside the file that is scanned there are no pictures, and on a topic there is no file.
            image.pop('path', None)
        rest = {name: value for name, value in listing.items() if name not in own}
        self.rest = json.dumps(rest, ensure_ascii=False)[1:]
        # What an event says at the least that removes a listing.
        self.bare = json.dumps({'occurred_at': listing['occurred_at']})[1:]

    def key(self, number):
        """The key of a copy."""
        return f'{self.place}:{self.listing_id}-{number}'.encode()

    def event(self, number, kind='', revision=REVISION, operation='upsert', content=None):
        """The payload of a copy, with its own content or another."""
        event_id, listing_id = json.dumps(f'{self.event_id}-{number}{kind}'), json.dumps(f'{self.listing_id}-{number}')
        head = f'{{"event_id": {event_id}, "op": "{operation}", "platform": {self.platform}, "market": {self.market}, '
        return f'{head}"listing_id": {listing_id}, "revision": {revision}, {content or self.rest}'.encode()


def spoiled(number):
    """A payload that cannot be used, no two of them alike."""
    return [
        b'{"event_id": "spoiled-%d", "op": "upsert", "title": ' % number,
        b'{"event_id": "spoiled-%d", "op": "upsert", "platform": "bazaar"}' % number,
        b'\xff\xfe spoiled %d' % number,
        b'{"event_id": %d, "op": "upsert"}' % number,
    ][number // SPOIL % 4]


class Source:
    """Listings that are repeated."""

    def __init__(self, path, suspects):
        """Reads upserts of a file, one of each key; `suspects` are the event_ids of those that a scan finds suspect."""
        rows, seen = {True: [], False: []}, set()
        with open(path, encoding='utf-8') as file:
            for line in file:
                listing = json.loads(line)
                key = (listing['platform'], listing['market'], listing['listing_id'])
                if listing.get('op') == 'upsert' and key not in seen:
                    seen.add(key)
                    rows[listing['event_id'] in suspects].append(Row(listing))
        self.suspects, self.others = rows[True], rows[False]

    def events(self, seed, stale=True, spoil=True, every=SUSPECT, long=False, change=True):
        """Keys and payloads without end; the same for the same seed. Without `change` no suspicion is to be taken back."""
        chance = random.Random(seed)
        recent = deque(maxlen=WINDOW)
        number = 0
        while True:
            number += 1
            rows = self.suspects if number % every == 0 else self.others
            row = rows[number // (every if number % every == 0 else 1) % len(rows)]
            recent.append([row, number, REVISION, True, row.rest])
            if long and number % LONG == 0:
                yield row.key(number), _longer(row.event(number))
            else:
                yield row.key(number), row.event(number)
            if change:
                yield from self._changes(recent, number, chance)
            yield from _more(recent, number, chance, stale, spoil)

    def _changes(self, recent, number, chance):
        """Edits that make something else of a listing, and removals."""
        if number % EDIT == 0:
            chosen = chance.choice(recent)
            if chosen[3]:
                chosen[2] += 1
                # A suspect becomes another listing, which mostly is none.
                rows = self.others if chance.random() < 0.7 else self.suspects
                chosen[4] = chance.choice(rows).rest
                yield chosen[0].key(chosen[1]), chosen[0].event(chosen[1], f'-e{number}', chosen[2], content=chosen[4])
        if number % REMOVE == 0:
            chosen = chance.choice(recent)
            chosen[2], chosen[3] = chosen[2] + 1, False
            content = chosen[0].bare if chance.random() < 0.5 else chosen[4]
            yield chosen[0].key(chosen[1]), chosen[0].event(chosen[1], f'-r{number}', chosen[2], 'remove', content)


def _more(recent, number, chance, stale, spoil):
    """Events about listings fed before, and some about none."""
    if number % UPDATE == 0:
        chosen = chance.choice(recent)
        if chosen[3]:
            chosen[2] += 1 + chance.randrange(3)
            yield chosen[0].key(chosen[1]), chosen[0].event(chosen[1], f'-u{number}', chosen[2], content=chosen[4])
    if stale and number % STALE == 0:
        # Right behind the newer one, or after a while in which the worker may have been killed.
        chosen = recent[-1] if chance.random() < 0.3 else chance.choice(recent)
        yield chosen[0].key(chosen[1]), chosen[0].event(chosen[1], f'-s{number}', chosen[2] - chance.randrange(3))
    if spoil and number % SPOIL == 0:
        yield b'spoiled:ZZ:%d' % number, spoiled(number)


def _longer(event):
    """The same with a long text that the platform read in its pictures."""
    listing = json.loads(event)
    listing['image_text'] = ['lorem ipsum dolor sit amet ' * (LENGTH // 27)]
    return json.dumps(listing, ensure_ascii=False).encode()
