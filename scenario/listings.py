"""Listings of the play: fakes of several kinds, honest offers, and what becomes of them later."""

import hashlib
import random
from dataclasses import dataclass, replace
from datetime import datetime

from scenario.times import iso
from scenario.world import MARKETS, OFFICIAL, Brand, authorised

# What a kind says beside the name, and for which part of the price.
KINDS = {
    'copy': ('kw super', 0.2), 'phrase': ('kw super', 0.95), 'cheap': ('', 0.3), 'doubtful': ('', 0.52), 'fair': ('', 0.97),
    # What a template of shops makes of a name in a sale: not one of them is a fake.
    'sale': ('', 0.22),
}
PLACES = ('warehouse', 'garden', 'harbour', 'station', 'market', 'bridge', 'tower', 'river', 'museum', 'stadium')


def opaque(*parts):
    """A hash, as platforms give keys."""
    return hashlib.sha256(':'.join(map(str, parts)).encode()).hexdigest()


@dataclass
class Listing:
    """A listing with what the play knows of it."""

    number: int
    at: datetime
    brand: Brand
    platform: str
    market: str
    kind: str
    fake: bool
    seller: str
    shop: str
    # Sellers of one ring have pictures and an account in common.
    ring: str = ''
    version: int = 0
    goods: str = ''

    def place(self):
        """Platform, market and id."""
        return self.platform, self.market, f'{self.platform[:2]}{self.number:07}'

    def key(self):
        """The key of its records."""
        return ':'.join(self.place())

    def title(self):
        """Its title."""
        name = '.'.join(self.brand.name) if self.kind == 'sale' else self.brand.name
        words = [name, 'Classic', (self.goods or self.brand.goods).title(), KINDS[self.kind][0], f'nr {self.number % 97}']
        return ' '.join(filter(None, words)) + (f' v{self.version}' if self.version else '')

    def event(self, operation='upsert', at=None):
        """The listing event."""
        at = at or self.at
        platform, market, listing_id = self.place()
        row = {
            'event_id': f'e-{self.number}-{int(at.timestamp() * 1000)}', 'op': operation, 'occurred_at': iso(at), 'platform': platform,
            'market': market, 'listing_id': listing_id, 'revision': int(at.timestamp() * 1000),
        }
        if operation == 'remove':
            return row
        owner = self.ring or self.seller
        chance = random.Random(opaque('words', self.number))
        picture = opaque('picture', self.ring or self.number)
        return {
            **row,
            'seller': {'id': self.seller, 'name': self.shop, 'tier': 'standard', 'links': [{'kind': 'payout', 'key': opaque('payout', owner)}]},
            'title': self.title(), 'brand': self.brand.name, 'condition': 'new', 'language': 'en',
            'description': ' '.join(f'{chance.choice(PLACES)} {chance.randrange(1000)}' for _ in range(8)),
            'category': ['Fashion', (self.goods or self.brand.goods).title()],
            'price': {'amount': str(round(self.brand.price * KINDS[self.kind][1], 2)), 'currency': 'USD'},
            'images': [{'sha256': picture, 'pdq': opaque('pdq', self.ring or self.number)}],
        }

    def edited(self, at, kind=None):
        """The same listing after its seller changed it."""
        return replace(self, at=at, version=self.version + 1, kind=kind or self.kind)


class Market:
    """Where listings come from."""

    def __init__(self, seed, sellers):
        self.chance, self.number, self.sellers = random.Random(f'{seed} listings'), 0, sellers

    def listing(self, at, brand, kind, **more):
        """One of a kind."""
        self.number += 1
        platform, market = more.pop('where', None) or self.chance.choice(MARKETS)
        fakes = ('copy', 'phrase', 'cheap') if brand.manner != 'dishonest' else ('copy',)
        fake = more.pop('fake', kind in fakes or (kind == 'doubtful' and self.chance.random() < 0.5))
        # A shop sells one brand.
        seller = more.pop('seller', None) or f's-{brand.id}-{platform}-{market}-{"f" if fake else "h"}{self.chance.randrange(self.sellers)}'
        shop = more.pop('shop', None) or f'Shop {opaque(seller)[:6]}'
        return Listing(self.number, at, brand, platform, market, kind, fake, seller, shop, **more)

    def ordinary(self, at, brands):
        """What an ordinary day brings."""
        brand, draw = self.chance.choice(brands), self.chance.random()
        if draw < 0.03:
            platform, market = self.chance.choice(MARKETS)
            shop, seller = f'{brand.name} Store', authorised(brand, platform)
            return self.listing(at, brand, 'copy', where=(platform, market), seller=seller, shop=shop, fake=False)
        kinds = (('fair', 0.48), ('copy', 0.68), ('phrase', 0.82), ('cheap', 0.92), ('doubtful', 1.01))
        return self.listing(at, brand, next(kind for kind, most in kinds if draw < most))

    def impostor(self, at, brand):
        """A shop that is called nearly as the official one."""
        return self.listing(at, brand, 'copy', shop=f'{OFFICIAL} ', seller=f's-impostor-{self.number}')
