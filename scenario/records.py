"""What the model keeps: matters, what was said of them, and the removals that it expects."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

# Where a removal stands.
DOWN = ('removed', 'countered', 'upheld')
RANK = {'agent': 0, 'brand': 1, 'moderator': 2}
BANDS = ('ask_brand', 'report', 'remove')


def suspect_id(platform, market, listing_id, brand_id):
    """The matter between a brand and a listing."""
    hashed = hashlib.sha256()
    for part in (platform, market, listing_id, brand_id):
        hashed.update(len(part.encode()).to_bytes(8, 'big') + part.encode())
    return hashed.hexdigest()[:32]


@dataclass
class Look:
    """The scanner's last look."""

    revision: int
    first_at: datetime
    at: datetime
    content_hash: str
    band: str
    reason: str
    rule: str = ''
    reference: str = ''
    category: tuple = ()


@dataclass
class Said:
    """A verdict or an accepted notice."""

    id: str
    verdict: str
    role: str
    who: str
    at: datetime
    proven: bool = False
    notice: bool = False
    supersedes: str = ''


@dataclass
class Order:
    """A removal that is expected; its id is learnt from the topic."""

    op: str
    matter: 'Matter'
    at: datetime
    origin: str
    reason: str
    revision: int
    shadow: bool
    notice_id: str = ''
    content_hash: str = ''
    reverses: 'Order' = None
    removal_id: str = ''
    rule: str = ''
    # The platform did not carry it out.
    void: bool = False

    def cause(self):
        """The field that names what led to it, and its value."""
        return ('notice_id', self.notice_id) if self.origin == 'notice' else ('suspect_id', self.matter.suspect_id)

    def fields(self):
        """The record, but for its ids and its statement."""
        platform, market, listing_id = self.matter.place
        name, value = self.cause()
        return {'op': self.op, name: value, 'platform': platform, 'market': market, 'listing_id': listing_id, 'revision': self.revision,
                'brand_id': self.matter.brand, 'origin': self.origin, 'ground': GROUNDS[self.reason], 'reason': self.reason,
                'shadow': self.shadow}


# The law where a right is infringed, else the platform's terms.
GROUNDS = {'counterfeit': 'illegal', 'trademark_misuse': 'illegal', 'image_misuse': 'illegal', 'grey_market': 'terms'}


@dataclass
class Matter:
    """What stands between a brand and a listing."""

    suspect_id: str
    brand: str
    place: tuple
    partition: int
    life: str = ''
    due_at: datetime = None
    because: str = ''
    look: Look = None
    given: list = field(default_factory=list)
    early: list = field(default_factory=list)
    holds: Said = None
    # The removal that stands.
    order: Order = None
    removals: int = 0
    # Keys of removals that were written down before: the same comes once.
    shadows: set = field(default_factory=set)
    # The platform refused the removal; the seller's objection was right.
    refused: bool = False
    cleared: bool = False


@dataclass
class Filing:
    """What counts for standing."""

    id: str
    brand: str
    code: str
    reporter: str
    at: datetime
    suspect_id: str = ''
    dead: bool = False
