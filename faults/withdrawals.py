"""Which suspicions must be taken back, told from the listings and from what a scan finds in each: nothing here asks the worker.

A suspicion stands from the event in which it is found to the next event of the listing that is looked at. Where that one does not find
it again, it must be taken back, once, and for one reason.
"""

import hashlib
import json
from datetime import datetime
from typing import NamedTuple

KEYS = ('sha256', 'url', 'path', 'pdq', 'data')


class Found(NamedTuple):
    """A suspicion as a scan tells it."""

    seller: str
    suspect_id: str
    detection_id: str
    score: float
    band: str
    reason: str
    content_hash: str
    catalog_version: str
    policy_version: str


class Versions(NamedTuple):
    """What every event of one catalog says."""

    catalog: str
    policy: str
    engine: str


def found(row):
    """What is to be remembered of a suspect."""
    return Found(row['listing']['seller']['id'], *(row[name] for name in Found._fields[1:]))


def versions(row):
    """The versions that a suspect tells."""
    return Versions(row['catalog_version'], row['policy_version'], row['engine_version'])


def hashed(parts):
    """Hash of parts, each with its length before it."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part.encode()).to_bytes(8, 'big') + part.encode())
    return whole.hexdigest()[:32]


def content_hash(listing):
    """Hash of what a verdict holds for."""
    pictures = [next((image[name] for name in KEYS if image.get(name)), '') for image in listing.get('images') or []]
    return hashed([listing.get('title') or '', listing.get('description') or '', listing.get('brand') or '',
                   (listing.get('seller') or {}).get('id') or '', *pictures])


def key(listing):
    """The key of every record about a listing."""
    return ':'.join((listing['platform'], listing['market'], listing['listing_id']))


def because(listing, before, now, authorised):
    """Why a suspicion is taken back."""
    if listing['op'] == 'remove':
        return 'listing_removed'
    if authorised:
        return 'authorised'
    if content_hash(listing) != before.content_hash:
        return 'edited'
    if now.catalog != before.catalog_version:
        return 'catalog'
    return 'policy' if now.policy != before.policy_version else 'edited'


def expected(listing, brand, before, now, authorised):
    """What must be told where a suspicion of a brand stood before an event of a listing and is found no more."""
    gone = listing['op'] == 'remove'
    return {
        'suspect_id': before.suspect_id,
        'detection_id': hashed([before.suspect_id, str(listing['revision']), '0', *now, 'withdraw']),
        'withdrawn_because': because(listing, before, now, authorised),
        'supersedes': before.detection_id,
        'event_id': listing['event_id'],
        'occurred_at': _seconds(listing['occurred_at']),
        'pass': 0,
        'brand_id': brand,
        'product_id': None,
        'content_hash': before.content_hash if gone else content_hash(listing),
        'listing': [listing['platform'], listing['market'], listing['listing_id'], listing['revision'], listing.get('title') or ''],
        # An event that removes a listing need not say who sold.
        'seller': (listing.get('seller') or {}).get('id') or before.seller,
        **{name: getattr(before, name) for name in ('score', 'band', 'reason')},
        **{name: [] for name in ('caps', 'evidence', 'images_seen')},
        **{f'{name}_version': getattr(now, name) for name in Versions._fields},
    }


def told(row):
    """The same of an event that was seen."""
    listing = row['listing']
    same = ('suspect_id', 'detection_id', 'withdrawn_because', 'supersedes', 'event_id', 'pass', 'brand_id', 'product_id', 'content_hash',
            'score', 'band', 'reason', 'caps', 'evidence', 'images_seen', 'catalog_version', 'policy_version', 'engine_version')
    return {
        **{name: row[name] for name in same},
        'occurred_at': _seconds(row['occurred_at']),
        'listing': [listing[name] for name in ('platform', 'market', 'listing_id', 'revision', 'title')],
        'seller': listing['seller']['id'],
    }


def digest(facts):
    """A digest of either."""
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=16).digest()


def live(path, dead):
    """The events that are looked at, in order: the number of the line, the listing, and whether it is the listing's first.

    `dead` are the lines that can't be used; what is not above a revision that came before is stale.
    """
    highest = {}
    with open(path, 'rb') as file:
        for number, line in enumerate(file, 1):
            if number in dead:
                continue
            listing = json.loads(line)
            name = key(listing)
            before = highest.get(name, -1)
            if listing['revision'] > before:
                highest[name] = listing['revision']
                yield number, listing, before < 0


def _seconds(text):
    return datetime.fromisoformat(text).timestamp()
