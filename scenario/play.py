"""A stage of the play: records of one kind go out, and what comes of them is held to the model."""

import random
from collections import Counter

from faults.common import say
from scenario.cases import Cases
from scenario.compare import ordered
from scenario.listings import Market
from scenario.model import Model
from scenario.people import People
from scenario.spread import partition_of
from scenario.times import when
from scenario.world import BRANDS, PLATFORMS, START, WEEKS


class Play:
    """What was sent, what came of it, and what should have: made to be derived from."""

    def __init__(self, desk, comparison, policy, facts, calendars, seed, listings, partitions):
        self.desk, self.comparison, self.policy, self.partitions = desk, comparison, policy, partitions
        self.model, self.cases = Model(policy, facts, calendars), Cases()
        self.chance, self.market, self.people = random.Random(f'{seed} play'), Market(seed, max(3, listings // 1000)), People(seed)
        self.weekly, self.scale = listings // WEEKS, max(1, listings // 3000)
        self.current, self.sent = {}, {}
        self.planned, self.reactions, self.said, self.reported = [], [], [], []
        self.ever, self.asked, self.standing, self.last_cases, self.removals = set(), set(), {}, {}, []
        self.counts, self.letters, self.evidence, self.untouched = Counter(), Counter(), Counter(), []
        # Called before each stage, and again and again while it goes on.
        self.before = self.meanwhile = None
        self.until, self.own_notices = START, set()

    # --- A stage ---

    def stage(self, name, records):
        """Sends records (topic, key, row), waits for what comes of them, and holds it to the model; `records` are in order."""
        if not records:
            return
        tiers = {brand.id: {self._tier(brand.id)} for brand in BRANDS}
        if self.before:
            self.before()
        for topic, key, row in records:
            self.desk.send(topic, key, row)
            self.counts[topic] += 1
            if topic == 'notices':
                self.own_notices.add(row['notice_id'])
        came = self.desk.settle(self.meanwhile)
        removals = [record.row() for record in came if record.topic == 'removals']
        self.removals += removals
        for record in came:
            if record.topic == 'standing' and record.value:
                row = record.row()
                self.standing[row['brand_id']] = row
                self.ever.add((row['brand_id'], row['tier']))
                tiers.setdefault(row['brand_id'], set()).add(row['tier'])
            elif record.topic == 'cases':
                case = record.key.decode() if not record.value else record.row()['case_id']
                self.last_cases[case] = record.row() if record.value else {'merged_into': 'nothing'}
        self.model.tiers = tiers
        self.model.seen = {(row.get('notice_id') or row.get('suspect_id'), when(row['at'])) for row in removals if row['op'] == 'remove'}
        orders, dead = len(self.model.orders), len(self.model.dead)
        self._advance(came)
        expected, letters = self.model.orders[orders:], self.model.dead[dead:]
        self.comparison.removals(self.model, expected, removals, name)
        seen = [record for record in came if record.topic == 'dead-letters']
        self.letters.update(record.headers.get('reason') for record in seen)
        self.comparison.letters(letters, seen, self.sent, name)
        for order in expected:
            if order.op == 'remove' and not order.shadow and order.removal_id:
                self.reactions += self._reactions(order)
        say(f'  {name}: {len(records)} sent, {len(removals)} removals, {len(seen)} dead letters, {len(self.comparison.problems)} problems')

    def _tier(self, brand):
        return self.standing.get(brand, {}).get('tier', 'standard')

    def _advance(self, came):
        """The model takes what the worker took."""
        for record in ordered([record for record in came if record.topic in ('suspects', 'verdicts', 'notices', 'appeals', 'receipts')]):
            row, place = record.row(), (record.partition, record.offset)
            self.sent[(record.topic, *place)] = record.value
            self.comparison.check('partition_of_key', record.partition == partition_of(record.key, self.partitions), record.key)
            if record.topic == 'suspects':
                self.model.suspect(record.partition, row)
                self._suspected(row)
            elif record.topic == 'verdicts':
                self.model.verdict(place, row if row and 'verdict' in row else None)
            elif record.topic == 'notices':
                self.counts['notices_of_sellers_listings'] += row['notice_id'] not in self.own_notices
                self.model.notice(place, row)
            elif record.topic == 'appeals':
                self.model.appeal(record.partition, row)
            else:
                self.model.receipt(record.partition, row)
        self.model.settle()

    def _suspected(self, row):
        self.counts['suspects' if row['op'] == 'upsert' else 'suspects_withdrawn'] += 1
        listing = self.current[(row['listing']['platform'], row['listing']['market'], row['listing']['listing_id'])]
        if row['op'] == 'withdraw':
            return
        self.cases.suspect(row)
        self.evidence.update(item['kind'] for item in row['evidence'])
        content = (row['suspect_id'], row['content_hash'])
        if content not in self.asked and row['brand_id'] == listing.brand.id:
            self.asked.add(content)
            self.planned += [(when(answer['at']), listing, answer) for answer in self.people.answers(listing, when(row['occurred_at']))]

    def _reactions(self, order):
        listing = self.current[order.matter.place]
        return [(when(row['at']), topic, listing.key(), row) for topic, row in self.people.reactions(order, listing)]

    def figures(self):
        """What the file of results holds."""
        removals = Counter()
        for order in self.model.orders:
            removals[f'{order.op} {order.origin}{" shadow" if order.shadow else ""}'] += 1
        letters = Counter(f'{topic} {reason or "unreadable"}' for topic, _, _, reason in self.model.dead)
        tiers = {brand.id: self._tier(brand.id) for brand in BRANDS}
        return {
            'weeks': WEEKS, 'platforms': len(PLATFORMS), 'brands': len(BRANDS), **dict(self.counts), 'matters': len(self.model.matters),
            'results': dict(self.model.results), 'removals': dict(removals), 'dead_letters': dict(letters), 'lives': dict(self.model.lives()),
            'held_by_the_guard': self.model.guard.held, 'while_a_tier_changed': self.model.undetermined, 'tiers': tiers,
            'seller_cases': len(self.cases.sets()), 'happened': self.happened(),
        }

    def happened(self):
        """What the play is to show, and how often it did."""
        results, orders = self.model.results, self.model.orders
        names = ('foreign', 'double', 'early', 'outdated', 'contradictory, recorded', 'contradictory, applied', 'late', 'applied', 'appeal opened',
                 'appeal won', 'appeal lost', 'receipt done', 'receipt refused', 'receipt not_found', 'notice accepted', 'notice of a seller')
        reasons = ('foreign', 'unknown_brand', 'not_the_reporters_brand', 'agents_term_over', 'territory_not_covered', 'class_not_covered',
                   'already_down', 'order_too_large', 'double')
        found = {name: results[name] for name in names}
        found |= {f'dead letter {reason}': sum(letter[3] == reason for letter in self.model.dead) for reason in reasons}
        for origin in ('proactive', 'verdict', 'notice'):
            for op in ('remove', 'withdraw'):
                found[f'{op}, {origin}'] = sum((order.op, order.origin) == (op, origin) for order in orders)
        found['shadow removals'] = sum(order.shadow for order in orders)
        found['held by the guard'] = self.model.guard.held
        found['suspicions withdrawn'] = self.counts['suspects_withdrawn']
        found['impostor shops'] = self.evidence['impostor_shop']
        found['seller cases'] = len(self.cases.sets())
        found |= {f'brands once {tier}': sum(tier == one for _, one in self.ever) for tier in ('good_faith', 'expedited', 'restricted')}
        found['dishonest brands once restricted'] = sum((brand.id, 'restricted') in self.ever for brand in BRANDS if brand.manner == 'dishonest')
        return found

    @staticmethod
    def _record(topic, listing, row):
        return topic, listing.key(), row
