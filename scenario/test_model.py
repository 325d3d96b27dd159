"""The model, case by case as docs/life.md has them. Run by `python -m unittest scenario.test_model`."""

import unittest
from datetime import datetime, timedelta, timezone

from scenario.cases import Cases
from scenario.model import Model
from scenario.records import suspect_id
from scenario.rules import Agent, Facts, Policy, Tier
from scenario.standing import Standing
from scenario.times import Calendars, iso, when

DAY = datetime(2026, 8, 10, 8, tzinfo=timezone.utc)
PLACE = ('bazaar', 'ID', '7')
BRAND, AGENT = ('brand', 'acme-desk'), ('agent', 'ag-1')
MODERATOR = ('moderator', 'm-1')
FACTS = Facts({'acme': (('ID', 'VN'), (25,)), 'other': ((), ())}, {'ag-1': Agent(('acme',), ('ID',), DAY + timedelta(days=30))})


class Table:
    """A model with one listing, and the means to say what happens."""

    def __init__(self, tier='standard', **policy):
        self.model, self.count, self.at = Model(Policy(**policy), FACTS, Calendars([])), 0, DAY
        self.model.tiers = {'acme': {tier}}

    def _number(self):
        self.count += 1
        self.at += timedelta(minutes=1)
        return self.count

    def suspect(self, band='report', content='c1', op='upsert', listing='7', after=None, rule='coded_phrase', category=('Shoes',)):
        """A suspect event."""
        revision = self._number()
        at = self.at if after is None else DAY + after
        place = (*PLACE[:2], listing)
        self.model.suspect(0, {
            'op': op, 'suspect_id': suspect_id(*place, 'acme'), 'occurred_at': iso(at), 'brand_id': 'acme', 'content_hash': content, 'band': band,
            'reason': 'counterfeit', 'withdrawn_because': 'edited' if op == 'withdraw' else None,
            'listing': {'platform': 'bazaar', 'market': 'ID', 'listing_id': listing, 'revision': revision, 'category': list(category)},
            'evidence': [{'detector': 'prior', 'kind': 'base_rate', 'weight': -4.9}, {'detector': 'text', 'kind': rule, 'weight': 7.8}],
        })
        return self

    def says(self, word, by=BRAND, listing='7', after=None, **more):
        """A verdict."""
        number = self._number()
        at = self.at if after is None else DAY + after
        row = {'verdict_id': f'v{number}', 'suspect_id': suspect_id(*PLACE[:2], listing, 'acme'), 'brand_id': 'acme', 'platform': 'bazaar',
               'market': 'ID', 'listing_id': listing, 'verdict': word, 'by': dict(zip(('type', 'id'), by)), 'at': iso(at), **more}
        before = dict(self.model.results)
        self.model.verdict((0, number), row)
        self.result = next(name for name, count in self.model.results.items() if count != before.get(name, 0))
        return self

    def notice(self, by=BRAND, listing='7', market='ID', brand='acme', number=None, **more):
        """A notice."""
        number = number or self._number()
        self.model.notice((0, number), {
            'notice_id': f'n{number}', 'brand_id': brand, 'by': dict(zip(('type', 'id'), by)), 'at': iso(self.at),
            'target': {'platform': 'bazaar', 'market': market, 'listing_id': listing}, **more})
        return self

    def told(self, topic, outcome, order=0):
        """An appeal or a receipt on a removal."""
        self._number()
        chosen = [one for one in self.model.orders if one.op == 'remove'][order]
        self.model.bind(chosen, f'r{order}')
        getattr(self.model, topic)(0, {'removal_id': f'r{order}', 'outcome': outcome, 'at': iso(self.at)})
        return self

    def time(self, days):
        """Time passes: another listing is seen."""
        self.model.suspect(0, {
            'op': 'withdraw', 'suspect_id': 'x', 'occurred_at': iso(DAY + timedelta(days=days)),
            'listing': dict(zip(('platform', 'market', 'listing_id'), PLACE)),
        })
        self.model.settle()
        return self

    def life(self, listing='7'):
        """The state of the matter."""
        return self.model.matters[suspect_id(*PLACE[:2], listing, 'acme')].life

    def orders(self):
        """Removals and withdrawals so far, as a word."""
        return ''.join({'remove': 'r', 'withdraw': 'w'}[order.op] + ('s' if order.shadow else '') for order in self.model.orders)


# How a matter comes into each state.
INTO = {
    'asked': lambda: Table().suspect('ask_brand'),
    'suspected': lambda: Table(ask_bands=()).suspect('ask_brand'),
    'expired': lambda: Table().suspect('ask_brand').time(9),
    'reported': lambda: Table().suspect('ask_brand').says('counterfeit', AGENT),
    'removed': lambda: Table().suspect('remove'),
    'countered': lambda: Table().suspect('remove').told('appeal', 'opened'),
    'upheld': lambda: Table().suspect('remove').told('appeal', 'opened').told('appeal', 'lost'),
    'reinstated': lambda: Table().suspect('remove').told('appeal', 'won'),
    'rejected': lambda: Table().suspect('ask_brand').says('genuine', AGENT),
    'withdrawn': lambda: Table().suspect('ask_brand').suspect(op='withdraw'),
}
SAME, OTHER, GONE = {'band': 'ask_brand'}, {'band': 'ask_brand', 'content': 'c2'}, {'op': 'withdraw'}


class Life(unittest.TestCase):
    """Every event in every state."""

    def test_states_are_reached(self):
        for state, made in INTO.items():
            with self.subTest(state):
                self.assertEqual(made().life(), state)

    def test_same_content(self):
        for state, after in [('asked', 'asked'), ('expired', 'expired'), ('reported', 'reported'), ('removed', 'removed'), ('countered', 'countered'),
                             ('upheld', 'upheld'), ('reinstated', 'reinstated'), ('rejected', 'rejected'), ('withdrawn', 'asked')]:
            with self.subTest(state):
                self.assertEqual(INTO[state]().suspect(**SAME).life(), after)

    def test_same_content_that_is_worse_now(self):
        for state, after in [('suspected', 'removed'), ('asked', 'removed'), ('expired', 'removed'), ('reported', 'removed'),
                             ('reinstated', 'reinstated'), ('rejected', 'rejected'), ('withdrawn', 'removed')]:
            with self.subTest(state):
                self.assertEqual(INTO[state]().suspect('remove').life(), after)

    def test_other_content(self):
        for state, made in INTO.items():
            with self.subTest(state):
                table = made()
                before = table.orders()
                self.assertEqual(table.suspect(**OTHER).life(), 'suspected' if state == 'suspected' else 'asked')
                # What stands is left to itself.
                self.assertEqual(table.orders(), before)

    def test_withdrawn(self):
        for state, made in INTO.items():
            with self.subTest(state):
                table = made()
                before = table.orders()
                self.assertEqual(table.suspect(**GONE).life(), 'withdrawn')
                taken_back = 'w' if state in ('removed', 'countered', 'upheld') else ''
                self.assertEqual(table.orders(), before + taken_back)

    def test_counterfeit(self):
        for state, after in [('suspected', 'removed'), ('asked', 'removed'), ('expired', 'removed'), ('reported', 'removed'), ('rejected', 'removed'),
                             ('reinstated', 'removed'), ('removed', 'removed'), ('countered', 'countered'), ('upheld', 'upheld'),
                             ('withdrawn', 'withdrawn')]:
            with self.subTest(state):
                self.assertEqual(INTO[state]().says('counterfeit', MODERATOR).life(), after)

    def test_genuine_and_grey(self):
        for word in ('genuine', 'grey'):
            for state, after, orders in [('suspected', 'rejected', ''), ('asked', 'rejected', ''), ('expired', 'rejected', ''),
                                         ('reported', 'rejected', ''),
                                         ('removed', 'reinstated', 'rw'), ('countered', 'reinstated', 'rw'), ('upheld', 'reinstated', 'rw'),
                                         ('reinstated', 'reinstated', 'rw'), ('withdrawn', 'withdrawn', '')]:
                with self.subTest(f'{word} {state}'):
                    table = INTO[state]().says(word, MODERATOR)
                    self.assertEqual((table.life(), table.orders()), (after, orders))

    def test_unsure(self):
        for state, made in INTO.items():
            with self.subTest(state):
                table = made()
                before = table.orders()
                table.says('unsure', MODERATOR)
                self.assertEqual((table.life(), table.orders()), (state, before))

    def test_appeals_and_receipts(self):
        for state, topic, outcome, after, orders in [
            ('removed', 'appeal', 'opened', 'countered', 'r'), ('countered', 'appeal', 'opened', 'countered', 'r'),
            ('removed', 'appeal', 'won', 'reinstated', 'rw'), ('countered', 'appeal', 'won', 'reinstated', 'rw'),
            ('upheld', 'appeal', 'won', 'reinstated', 'rw'), ('reinstated', 'appeal', 'won', 'reinstated', 'rw'),
            ('removed', 'appeal', 'lost', 'removed', 'r'), ('countered', 'appeal', 'lost', 'upheld', 'r'),
            ('removed', 'receipt', 'refused', 'reported', 'r'), ('removed', 'receipt', 'not_found', 'withdrawn', 'r'),
            ('removed', 'receipt', 'done', 'removed', 'r'), ('countered', 'receipt', 'refused', 'countered', 'r'),
        ]:
            with self.subTest(f'{state} {topic} {outcome}'):
                table = INTO[state]().told(topic, outcome)
                self.assertEqual((table.life(), table.orders()), (after, orders))

    def test_an_appeal_against_what_no_longer_stands(self):
        table = INTO['removed']().suspect('remove', 'c2').told('appeal', 'won', 0)
        self.assertEqual((table.life(), table.orders()), ('removed', 'rr'))

    def test_the_word_that_holds_is_applied_again(self):
        for word, after, orders in [('counterfeit', 'removed', 'rwr'), ('genuine', 'rejected', 'rw'), ('unsure', 'removed', 'rwr')]:
            with self.subTest(word):
                table = INTO['removed']().says(word).suspect(op='withdraw').suspect('remove')
                self.assertEqual((table.life(), table.orders()), (after, orders))

    def test_a_removal_after_another_is_one_of_its_own(self):
        table = INTO['removed']().says('genuine').says('counterfeit', MODERATOR)
        self.assertEqual((table.orders(), table.model.orders[1].reverses, table.model.orders[2].reverses), ('rwr', table.model.orders[0], None))


def in_time(table):
    """Of each answer, whether it came in time."""
    return [came for _, came in Standing(table.model.policy, table.model).answers['acme']]


class Words(unittest.TestCase):
    """Results of verdicts."""

    def test_foreign(self):
        for what, more in [('another id', {'suspect_id': 'x'}), ('unknown brand', {'brand_id': 'nobody'}), ('another brand', {'brand_id': 'other'}),
                           ('unknown agent', {'by': ('agent', 'ag-2')}),
                           ('another market', {'by': ('agent', 'ag-1'), 'market': 'VN', 'suspect_id': suspect_id('bazaar', 'VN', '7', 'acme')}),
                           ('term over', {'by': ('agent', 'ag-1'), 'at': iso(DAY + timedelta(days=30))})]:
            with self.subTest(what):
                table = Table().suspect().says('counterfeit', **more)
                self.assertEqual((table.result, table.life(), [letter[3] for letter in table.model.dead]), ('foreign', 'asked', ['foreign']))

    def test_double(self):
        self.assertEqual(Table().suspect().says('counterfeit', verdict_id='a').says('genuine', verdict_id='a').result, 'double')
        self.assertEqual(Table().suspect().says('counterfeit').says('counterfeit').result, 'double')
        self.assertEqual(Table().suspect().says('counterfeit').says('counterfeit', AGENT).result, 'applied')
        self.assertEqual(Table().suspect().says('counterfeit').suspect(content='c2').says('counterfeit').result, 'applied')

    def test_early(self):
        table = Table().says('counterfeit', after=timedelta(days=1))
        self.assertEqual((table.result, table.life()), ('early', ''))
        self.assertEqual(table.suspect().life(), 'removed')
        # Given before the content was seen.
        self.assertEqual(Table().says('counterfeit', after=timedelta(days=-1)).suspect().life(), 'asked')
        table = Table()
        for number in range(9):
            table.says('unsure', ('brand', f'desk-{number}'))
        self.assertEqual(table.model.results, {'early': 8, 'early, too many': 1})

    def test_outdated(self):
        table = Table().suspect().suspect(content='c2', after=timedelta(days=2)).says('counterfeit', after=timedelta(days=1))
        self.assertEqual((table.result, table.life()), ('outdated', 'asked'))

    def test_contradictions(self):
        first = timedelta(hours=5)
        for what, by, then, more, result, after in [
            ('supersedes', AGENT, timedelta(hours=4), {'supersedes': 'a'}, 'contradictory, applied', 'reinstated'),
            ('lower rank', AGENT, timedelta(hours=6), {}, 'contradictory, recorded', 'removed'),
            ('same rank, later', BRAND, timedelta(hours=6), {}, 'contradictory, applied', 'reinstated'),
            ('same rank, earlier', BRAND, timedelta(hours=4), {}, 'contradictory, recorded', 'removed'),
            ('higher rank, earlier', MODERATOR, timedelta(hours=4), {}, 'contradictory, applied', 'reinstated'),
        ]:
            with self.subTest(what):
                table = Table().suspect().says('counterfeit', after=first, verdict_id='a').says('genuine', by, after=then, **more)
                self.assertEqual((table.result, table.life()), (result, after))

    def test_late(self):
        table = Table().suspect().says('counterfeit', after=timedelta(days=9))
        self.assertEqual((table.result, table.life()), ('late', 'removed'))
        self.assertEqual(in_time(table), [False])
        table = Table().suspect().says('counterfeit', after=timedelta(days=3, hours=15))
        self.assertEqual((table.result, in_time(table)), ('applied', [True]))

    def test_burden_of_proof(self):
        proof = {'proof': [{'type': 'document', 'ref': 'd'}]}
        tiers = tuple(Tier(name, 0, 0, 1, 0, False, name) for name in ('word', 'suspicion', 'proof'))
        for tier, band, more, after in [
            ('word', 'ask_brand', {}, 'removed'), ('suspicion', 'ask_brand', proof, 'reported'), ('suspicion', 'report', {}, 'removed'),
            ('proof', 'report', {}, 'reported'), ('proof', 'report', proof, 'removed'), ('standard', 'report', {}, 'removed'),
            ('restricted', 'report', proof, 'reported'),
        ]:
            with self.subTest(f'{tier} {band} {more}'):
                self.assertEqual(Table(tier, tiers=tiers).suspect(band).says('counterfeit', **more).life(), after)
        self.assertEqual(Table('restricted').suspect().says('counterfeit').says('counterfeit', MODERATOR).life(), 'removed')
        self.assertEqual(Table('restricted').suspect().says('counterfeit', MODERATOR).life(), 'removed')

    def test_a_tier_that_changed_meanwhile_follows_what_was_seen(self):
        for seen in (True, False):
            table = Table().suspect('ask_brand')
            table.model.policy.tiers = (Tier('good', 0, 0, 1, 0, False, 'word'),)
            table.model.tiers = {'acme': {'good', 'standard'}}
            at = DAY + timedelta(hours=1)
            table.model.seen = {(suspect_id(*PLACE, 'acme'), at)} if seen else set()
            self.assertEqual(table.says('counterfeit', after=timedelta(hours=1)).life(), 'removed' if seen else 'reported')


class Removals(unittest.TestCase):
    """Modes and caps."""

    def test_modes(self):
        for mode, after, orders in [('on', 'removed', 'r'), ('off', 'asked', ''), ('shadow', 'asked', 'rs')]:
            with self.subTest(mode):
                # The same content once more orders nothing more.
                table = Table(mode=mode).suspect('remove').suspect('remove')
                self.assertEqual((table.life(), table.orders()), (after, orders))
                table = Table(mode='on', modes=(('acme', 'ID', mode),)).suspect('report').says('counterfeit')
                self.assertEqual((table.life(), table.orders()), ('reported' if mode != 'on' else 'removed', orders))

    def test_caps(self):
        for what, caps, rules, held in [('brand', {'most_per_brand': 2}, ('a', 'b', 'c'), 1), ('rule', {'most_per_rule': 1}, ('a', 'b', 'a'), 1),
                                        ('parts', {'most_per_brand': 4, 'partitions': 4}, ('a', 'b', 'c'), 2)]:
            with self.subTest(what):
                table = Table(**caps)
                for number, rule in enumerate(rules):
                    table.suspect('remove', listing=str(number), rule=rule)
                self.assertEqual((table.model.guard.held, [table.life(str(number)) for number in range(3)].count('asked')), (held, held))
                # Another day.
                table.suspect('remove', listing='9', rule='a', after=timedelta(days=1))
                self.assertEqual(table.life('9'), 'removed')


class Notices(unittest.TestCase):
    """What is refused."""

    def test_refused(self):
        for reason, made in [
            ('unknown_brand', lambda: Table().notice(brand='nobody')), ('not_the_reporters_brand', lambda: Table().notice(('agent', 'ag-2'))),
            ('not_the_reporters_brand', lambda: Table().notice(AGENT, brand='other')),
            ('agents_term_over', lambda: Table().time(40).notice(AGENT, at=iso(DAY + timedelta(days=40)))),
            ('territory_not_covered', lambda: Table().notice(market='TH')), ('territory_not_covered', lambda: Table().notice(AGENT, market='VN')),
            ('class_not_covered', lambda: Table().suspect(category=('Fashion', 'Watches')).notice()),
            ('already_down', lambda: Table().suspect('remove').notice()),
            ('order_too_large', lambda: Table(most_listings=1).notice(order_id='o').notice(listing='8', order_id='o')),
            ('double', lambda: Table().notice(number=5).notice(number=5)),
        ]:
            with self.subTest(reason):
                self.assertEqual([letter[3] for letter in made().model.dead], [reason])

    def test_accepted(self):
        for what, table, after, origin in [('no suspicion', Table().notice(), 'reported', []),
                                           ('suspicion', Table().suspect('report').notice(), 'removed', ['notice']),
                                           ('weak suspicion', Table().suspect('ask_brand').notice(), 'reported', [])]:
            with self.subTest(what):
                self.assertEqual((table.life(), [order.origin for order in table.model.orders]), (after, origin))
        fields = Table().suspect('report').notice().model.orders[0].fields()
        self.assertEqual(('suspect_id' in fields, fields['notice_id']), (False, 'n2'))


class Shares(unittest.TestCase):
    """Standing, and when answers are due."""

    def test_due(self):
        calendars = Calendars([{'market': 'ID', 'weekend': ['sat', 'sun'], 'holidays': ['2026-08-17']}, {'market': 'AE', 'weekend': ['fri', 'sat']}])
        for market, at, days, due in [('ID', '2026-08-13T23:00:00Z', 1, '2026-08-14'), ('ID', '2026-08-13T23:00:00Z', 2, '2026-08-18'),
                                      ('XX', '2026-08-13T01:00:00Z', 2, '2026-08-17'), ('AE', '2026-08-13T01:00:00Z', 2, '2026-08-17'),
                                      ('ID', '2026-08-15T10:00:00Z', 1, '2026-08-18')]:
            with self.subTest(f'{market} {at} {days}'):
                self.assertEqual(iso(calendars.due(market, when(at), days)), f'{due}T23:59:59.999Z')

    def test_ends(self):
        table = Table().suspect('remove', listing='1').says('counterfeit', listing='1')
        table.suspect('remove', listing='2').says('counterfeit', listing='2').told('appeal', 'won', 1)
        table.suspect('ask_brand', listing='3').says('counterfeit', listing='3').says('genuine', MODERATOR, listing='3')
        table.suspect('ask_brand', listing='4').says('counterfeit', listing='4').says('counterfeit', ('agent', 'ag-2'), listing='4')
        overall, _, reporters = Standing(table.model.policy, table.model).window('acme', DAY.date())
        self.assertEqual(dict(overall.ends), {'upheld': 1, 'countered': 1, 'rejected': 1, 'open': 1})
        self.assertEqual({who: shares.volume() for who, shares in reporters.items()}, {'acme-desk': 4})

    def test_tiers(self):
        policy = {'window_days': 10, 'back_after_days': 20, 'least_filings': 2, 'tiers': (Tier('good', 2, 0.9, 0.05, 0.0, True, 'word'),)}
        table = Table(**policy)
        for number, day in enumerate((0, 0, 3, 3, 15, 15, 24, 24)):
            # On the fourth day sellers win.
            listing, at = str(number), timedelta(days=day)
            table.suspect('remove', listing=listing, after=at).says('counterfeit', listing=listing, after=at + timedelta(hours=1))
            if day == 3:
                table.told('appeal', 'won', number)
        standing = Standing(table.model.policy, table.model)
        for day, tier in [(0, 'good'), (2, 'good'), (3, 'restricted'), (9, 'restricted'), (13, 'standard'), (15, 'standard'), (22, 'standard'),
                          (24, 'good'), (36, 'standard')]:
            with self.subTest(day):
                self.assertEqual(standing.tier('acme', DAY.date() + timedelta(days=day))[0], tier)


class Sellers(unittest.TestCase):
    """Seller cases."""

    def test_joined(self):
        cases = Cases()
        for seller, key, picture in [('a', 'k1', 'p1'), ('b', 'k2', 'p1'), ('c', 'k2', 'p2'), ('d', 'k3', 'p3')]:
            shown = {'id': seller, 'links': [{'kind': 'payout', 'key': key}]}
            cases.suspect({'listing': {'platform': 'bazaar', 'seller': shown, 'images': [{'sha256': picture}]}})
        self.assertEqual(cases.sets(), {frozenset({'bazaar:a', 'bazaar:b', 'bazaar:c'})})


if __name__ == '__main__':
    unittest.main()
