"""The comparison must see each kind of fault. Run by `python -m unittest scenario.test_compare`."""

import hashlib
import json
import unittest

from scenario.compare import Comparison
from scenario.desk import Record
from scenario.standing import Standing
from scenario.test_model import DAY, Table
from scenario.times import iso


def written(table):
    """Removals as a faultless worker writes them."""
    rows = []
    for number, order in enumerate(table.model.orders):
        row = {'removal_id': f'r{number}', 'at': iso(order.at), 'statement': f'Fakes of acme: {order.matter.place[2]}', **order.fields()}
        if order.reverses:
            row['reverses'] = f'r{table.model.orders.index(order.reverses)}'
        rows.append(row)
    return rows


def compared(table, rows):
    """What is found to be wrong."""
    comparison = Comparison()
    comparison.removals(table.model, table.model.orders, rows, 'stage')
    return set(comparison.failed)


class Removals(unittest.TestCase):
    """Faults among removals."""

    def setUp(self):
        self.table = Table().suspect('remove', listing='1').suspect('remove', listing='2').says('genuine', listing='2')
        self.rows = written(self.table)

    def test_right_ones(self):
        self.assertEqual(compared(self.table, self.rows), set())

    def test_faults(self):
        first, second, taken_back = self.rows
        for what, rows, failed in [
            ('lost', [first, second], {'removal_written'}),
            ('doubled', [first, first, second, taken_back], {'removal_expected'}),
            ('made up', [*self.rows, {**first, 'suspect_id': 'x'}], {'removal_expected'}),
            ('one id twice', [first, {**second, 'removal_id': 'r0'}, {**taken_back, 'reverses': 'r0'}], {'removal_id_unique', 'withdrawal_reverses'}),
            ('another time', [{**first, 'at': iso(DAY)}, second, taken_back], {'removal_written', 'removal_expected'}),
            ('another brand', [{**first, 'brand_id': 'other'}, second, taken_back], {'removal_brand_id'}),
            ('another revision', [{**first, 'revision': 99}, second, taken_back], {'removal_revision'}),
            ('a shadow', [{**first, 'shadow': True}, second, taken_back], {'removal_shadow'}),
            ('nothing said', [{**first, 'statement': ''}, second, taken_back], {'removal_statement'}),
            ('the listing is not named', [{**first, 'statement': 'acme'}, second, taken_back], {'removal_statement'}),
            ('takes back another', [first, second, {**taken_back, 'reverses': 'r0'}], {'withdrawal_reverses'}),
            ('takes back while it removes', [{**first, 'reverses': 'r9'}, second, taken_back], {'removal_reverses_nothing'}),
        ]:
            with self.subTest(what):
                self.setUp()
                self.assertEqual(compared(self.table, rows), failed)


class Letters(unittest.TestCase):
    """Faults among dead letters."""

    @staticmethod
    def letter(value=b'payload', **headers):
        """A dead letter of the fourth verdict of a partition."""
        told = {'topic': 'x.verdicts', 'partition': '2', 'offset': '4', 'reason': 'foreign', 'detail': 'say who you are', **headers}
        return Record('dead-letters', 2, 0, b'key', value, told)

    def found(self, letters, reason='foreign'):
        """What is found to be wrong."""
        comparison = Comparison()
        comparison.letters([('verdicts', 2, 4, reason)], letters, {('verdicts', 2, 4): b'payload'}, 'stage')
        return set(comparison.failed)

    def test_faults(self):
        for what, letters, failed in [
            ('right', [self.letter()], set()), ('right, with a digest', [self.letter(sha256=hashlib.sha256(b'payload').hexdigest())], set()),
            ('lost', [], {'dead_letter_written'}), ('doubled', [self.letter(), self.letter()], {'dead_letter_once'}),
            ('of another', [self.letter(), self.letter(offset='5')], {'dead_letter_expected'}),
            ('another reason', [self.letter(reason='double')], {'dead_letter_reason'}),
            ('says nothing', [self.letter(detail='')], {'dead_letter_detail'}), ('another payload', [self.letter(b'x')], {'dead_letter_payload'}),
            ('another digest', [self.letter(sha256='x')], {'dead_letter_payload'}),
            ('of a listing, which is not judged', [self.letter(), self.letter(topic='x.listings')], set()),
        ]:
            with self.subTest(what):
                self.assertEqual(self.found(letters), failed)
        # What cannot be read has any reason.
        self.assertEqual(self.found([self.letter(reason='not_json')], None), set())


class Standings(unittest.TestCase):
    """Faults in standing and cases."""

    def test_faults(self):
        table = Table().suspect('remove', listing='1').says('counterfeit', listing='1', reason_code='TM').says('counterfeit', listing='3')
        standing = Standing(table.model.policy, table.model)
        shares = {'volume': 1, 'open': 0, 'upheld': 1.0, 'countered': 0.0, 'rejected': 0.0}
        right = {
            'brand_id': 'acme', 'tier': 'standard', 'since': iso(DAY), 'as_of': iso(DAY), 'why': [], 'volume': 2,
            'overall': {**shares, 'volume': 2, 'open': 1, 'in_time': 1.0}, 'by_reason_code': {'TM': shares}, 'by_reporter': {'acme-desk': {**shares, 'volume': 2, 'open': 1}},
        }
        for what, change, failed in [
            ('right', {}, set()), ('volume', {'volume': 3}, {'standing_volume'}), ('tier', {'tier': 'good'}, {'standing_tier'}),
            ('upheld', {'by_reason_code': {'TM': {**shares, 'upheld': 0.9}}}, {'standing_upheld'}),
            ('a code is missing', {'by_reason_code': {}}, {'standing_by_reason_code'}),
            ('open', {'overall': {**shares, 'volume': 2, 'in_time': 1.0}}, {'standing_open'}),
            ('late', {'overall': {**shares, 'volume': 2, 'open': 1, 'in_time': 0.0}}, {'standing_in_time'}), ('not of a day', {'as_of': None}, {'standing_written'}),
        ]:
            with self.subTest(what):
                comparison = Comparison()
                comparison.standing(standing, {'acme': {**right, **change}})
                self.assertEqual(set(comparison.failed), failed, json.dumps(comparison.problems))


if __name__ == '__main__':
    unittest.main()
