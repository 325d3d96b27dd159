"""What the people of the play say: brands, agents, moderators and sellers, each in its manner."""

import random
from datetime import timedelta

from scenario.records import suspect_id
from scenario.times import iso
from scenario.world import TERM

CODES = ('TM-01', 'CR-02')


class People:
    """Writes verdicts, notices, appeals and receipts; every draw is of one seed."""

    def __init__(self, seed):
        self.chance, self.count = random.Random(f'{seed} people'), 0

    def _id(self, kind):
        self.count += 1
        return f'{kind}-{self.count:06}'

    def desk(self, brand, at):
        """Who speaks for a brand: one whose term is over may not know it."""
        if brand.agent and self.chance.random() < (0.8 if brand.agent != 'oldmark' or at < TERM else 0.4):
            return {'type': 'agent', 'id': brand.agent}
        return {'type': 'brand', 'id': f'{brand.id}-desk'}

    def verdict(self, listing, word, at, by=None, **more):
        """A verdict."""
        platform, market, listing_id = listing.place()
        by = by or self.desk(listing.brand, at)
        row = {
            'verdict_id': self._id('v'), 'suspect_id': suspect_id(platform, market, listing_id, listing.brand.id), 'brand_id': listing.brand.id,
            'platform': platform, 'market': market, 'listing_id': listing_id, 'verdict': word, 'by': by, 'at': iso(at),
        }
        if word == 'counterfeit':
            row['reason_code'] = self.chance.choice(CODES)
            if self.chance.random() < 0.15:
                row['proof'] = [{'type': 'test_purchase', 'ref': self._id('purchase')}]
        return {**row, **more}

    def answers(self, listing, asked):
        """What a brand will say of a suspect, with its times: mostly one word."""
        brand, chance = listing.brand, self.chance
        truth = 'counterfeit' if listing.fake else chance.choice(('genuine', 'genuine', 'genuine', 'grey'))
        at = asked + timedelta(hours=chance.uniform(2, 40))
        if brand.manner == 'dishonest':
            return [self.verdict(listing, 'counterfeit', at)]
        if brand.manner == 'lazy':
            if chance.random() < 0.5:
                return []
            return [self.verdict(listing, truth, asked + timedelta(days=chance.uniform(6, 13)))]
        draw = chance.random()
        if draw < 0.04:
            return []
        if draw < 0.08:
            return [self.verdict(listing, truth, asked + timedelta(days=chance.uniform(8, 12)))]
        by = self.desk(brand, at)
        if draw < 0.12:
            return [self.verdict(listing, 'unsure', at, by), self.verdict(listing, truth, at + timedelta(hours=20), by)]
        if draw < 0.14:
            other = 'genuine' if truth == 'counterfeit' else 'counterfeit'
            first = self.verdict(listing, other, at, by)
            return [first, self.verdict(listing, truth, at + timedelta(hours=9), by, supersedes=first['verdict_id'])]
        return [self.verdict(listing, truth, at, by)]

    def moderator(self, listing, word, at):
        """A moderator's verdict."""
        return self.verdict(listing, word, at, {'type': 'moderator', 'id': f'moderator-{self.chance.randrange(3)}'})

    def notice(self, listing, at, brand=None, by=None, proof=False, **more):
        """A notice against a listing."""
        platform, market, listing_id = listing.place()
        brand = brand or listing.brand.id
        row = {
            'notice_id': self._id('n'), 'brand_id': brand, 'by': by or {'type': 'brand', 'id': f'{brand}-desk'},
            'target': {'platform': platform, 'market': market, 'listing_id': listing_id}, 'reason_code': self.chance.choice(CODES), 'at': iso(at),
        }
        if proof:
            row['proof'] = [{'type': 'document', 'ref': self._id('document')}]
        return {**row, **more}

    def notice_of_seller(self, listing, at):
        """A notice against everything of a seller."""
        return {**self.notice(listing, at), 'target': {'platform': listing.platform, 'market': listing.market, 'seller_id': listing.seller}}

    def reactions(self, order, listing):
        """Receipts and appeals that follow a removal, with their topics."""
        chance, at = self.chance, order.at
        objects = chance.random() < (0.04 if listing.fake else 0.7)
        if objects:
            appeal = self._id('a')
            outcome = 'lost' if listing.fake else 'won'
            steps = [('opened', at + timedelta(hours=30)), (outcome, at + timedelta(days=4))]
            if outcome == 'won' and chance.random() < 0.2:
                steps = steps[1:]
            rows = [('appeals', {'appeal_id': appeal, 'removal_id': order.removal_id, 'outcome': word, 'at': iso(when)}) for word, when in steps]
            return [('receipts', self._receipt(order, 'done')), *rows]
        draw = chance.random()
        outcome = 'refused' if draw < 0.04 else 'not_found' if draw < 0.08 else 'done' if draw < 0.95 else None
        return [('receipts', self._receipt(order, outcome))] if outcome else []

    @staticmethod
    def _receipt(order, outcome):
        return {'removal_id': order.removal_id, 'outcome': outcome, 'at': iso(order.at + timedelta(hours=6))}
