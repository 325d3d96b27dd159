"""The oracle: records that are expected, records that were seen, and what is lost, doubled or changed between them.

It knows neither Kafka nor the worker, so that test_oracle.py can show each kind of fault to it. A record is an identity, which
says what it is about, and a content: its key and a digest of its bytes. Of each identity exactly one record is expected.
"""

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from faults import withdrawals

CLOCK = re.compile(rb',?"detected_at":"[^"]*"')
MOST_EXAMPLES = 5


class Content(NamedTuple):
    """What a record is made of, but for the clock."""

    key: bytes
    digest: bytes


@dataclass
class Verdict:
    """How many records are lost (expected and missing), doubled (more than expected) and changed (not as expected)."""

    lost: int = 0
    doubled: int = 0
    changed: int = 0
    examples: list = field(default_factory=list)

    def add(self, other, what):
        """Adds another verdict, about records of a kind."""
        self.lost += other.lost
        self.doubled += other.doubled
        self.changed += other.changed
        self.examples += [f'{what}: {example}' for example in other.examples]

    def is_green(self):
        """Whether everything is as it must be."""
        return not (self.lost or self.doubled or self.changed)


def judge(expected, seen, may_miss=False):
    """Compares; `expected` is content by identity, `seen` are pairs of identity and content.

    With `may_miss` what is missing is not counted: its topic was deleted meanwhile.
    """
    verdict, counts, told = Verdict(), Counter(), Counter()

    def tell(kind, identity):
        told[kind] += 1
        if told[kind] <= MOST_EXAMPLES:
            verdict.examples.append(f'{kind}: {identity}')

    for identity, content in seen:
        counts[identity] += 1
        wanted = expected.get(identity)
        if wanted is None or counts[identity] > 1:
            verdict.doubled += 1
            tell('doubled' if wanted else 'not expected', identity)
        if wanted and content != wanted:
            verdict.changed += 1
            tell('changed' if content.key == wanted.key else 'another key', identity)
    if not may_miss:
        for identity in expected:
            if not counts[identity]:
                verdict.lost += 1
                tell('lost', identity)
    return verdict


def digest(payload):
    """A digest of bytes without the clock."""
    return hashlib.blake2b(CLOCK.sub(b'', payload), digest_size=16).digest()


def suspect(payload):
    """Identity of a suspect, its content with the key that it must have, and its brand.

    The content of one that stands is its bytes; of one that is taken back, which no scan makes, what it tells.
    """
    try:
        row = json.loads(payload)
        listing = row['listing']
        identity = (row['event_id'], row['brand_id'], row['pass'], row['op'])
        made = withdrawals.digest(withdrawals.told(row)) if row['op'] == 'withdraw' else digest(payload)
        return identity, Content(withdrawals.key(listing).encode(), made), row['brand_id']
    except (ValueError, KeyError, TypeError):
        # Nothing like it is expected.
        return ('no suspect', payload[:80]), Content(b'', b''), ''


def dead_letter(key, payload, headers):
    """Identity and content of a dead letter: where it came from, why, and the payload as it came."""
    told = {name: (value or b'').decode(errors='replace') for name, value in headers}
    place = (told.get('partition', ''), told.get('offset', ''))
    if not all(number.isdecimal() for number in place):
        return ('no place', place), Content(b'', b'')
    found = hashlib.sha256(payload).hexdigest()
    if told.get('sha256') != found:
        found = 'payload and header differ'
    return (int(place[0]), int(place[1])), Content(key, f'{told.get("reason")} {found}'.encode())
