"""The oracle must see each kind of fault: made-up records with one fault each. Run by `python -m unittest faults.test_oracle`."""

import hashlib
import json
import tempfile
import unittest
from collections import Counter
from pathlib import Path

from faults import withdrawals
from faults.expectation import Look, Made, chosen, of_event
from faults.oracle import Content, dead_letter, digest, judge, suspect


def record(event, brand='acme', listing='7', score=0.5, at='2026-11-21T08:00:00Z'):
    """A suspect as it stands on a topic."""
    row = {
        'op': 'upsert', 'event_id': event, 'pass': 0, 'brand_id': brand, 'score': score,
        'listing': {'platform': 'bazaar', 'market': 'ID', 'listing_id': listing, 'title': 'says "detected_at":"never"'},
        'detected_at': at,
    }
    return json.dumps(row, separators=(',', ':')).encode()


def expected(*records):
    """Content by identity."""
    return dict(suspect(one)[:2] for one in records)


def seen(*records, key=None):
    """Pairs as they are read, with the right key or another."""
    pairs = []
    for one in records:
        identity, content, _ = suspect(one)
        pairs.append((identity, Content(content.key if key is None else key, content.digest)))
    return pairs


A, B, OF_ANOTHER_BRAND = record('a'), record('b'), record('a', brand='other')


class TwoCatalogs(unittest.TestCase):
    """Events that one of two catalogs was used for."""

    @staticmethod
    def made(records):
        return {identity: (content, brand) for identity, content, brand in map(suspect, records)}, {}

    def test_all_must_be_of_one_of_them(self):
        old, new = [record('a'), record('a', brand='other')], [record('a', score=0.7)]
        for what, found, is_right in [
            ('all of the old one', old, True),
            ('all of the new one', new, True),
            ('a part of the old one', old[:1], False),
            ('of both', old + new, False),
            ('nothing', [], False),
        ]:
            with self.subTest(what):
                pairs = seen(*found)
                taken, _ = chosen(self.made(old), self.made(new), set(pairs))
                wanted = {identity: content for identity, (content, _) in taken.items()}
                self.assertEqual(judge(wanted, pairs).is_green(), is_right)

    def test_nothing_is_right_where_one_of_them_makes_nothing(self):
        self.assertEqual(chosen(self.made([]), self.made([A]), set())[0], {})


class Withdrawals(unittest.TestCase):
    """What must be taken back, and what is told of it."""

    FOUND = withdrawals.Found('s', 'matter', 'first', 0.9, 'report', 'counterfeit', '', 'old', 'rules')
    NOW = withdrawals.Versions('old', 'rules', '1')
    LISTING = {
        'event_id': 'e2', 'op': 'upsert', 'occurred_at': '2026-11-21T08:00:00Z', 'platform': 'bazaar', 'market': 'ID', 'listing_id': '7',
        'revision': 2, 'title': 'shoes', 'seller': {'id': 's'},
    }

    def before(self, listing=None):
        return self.FOUND._replace(content_hash=withdrawals.content_hash(listing or self.LISTING))

    def test_the_first_reason_that_suffices(self):
        gone, edited = {**self.LISTING, 'op': 'remove'}, {**self.LISTING, 'title': 'other'}
        for listing, now, authorised, reason in [
            (self.LISTING, self.NOW, False, 'edited'),
            (self.LISTING, self.NOW._replace(policy='new'), False, 'policy'),
            (self.LISTING, self.NOW._replace(policy='new', catalog='new'), False, 'catalog'),
            (edited, self.NOW._replace(catalog='new'), False, 'edited'),
            (edited, self.NOW, True, 'authorised'),
            (gone, self.NOW._replace(catalog='new'), True, 'listing_removed'),
        ]:
            with self.subTest(reason):
                self.assertEqual(withdrawals.because(listing, self.before(), now, authorised), reason)

    def test_only_what_is_not_found_again_and_each_once(self):
        made = Made(('e2', 'acme', 0, 'upsert'), Content(b'bazaar:ID:7', b'bytes'), self.FOUND)
        before = {'acme': self.before(), 'other': self.before()}
        for what, listing, found, told, stands in [
            ('both found', self.LISTING, {'acme': made, 'other': made}, {'upsert': 1}, {'acme', 'other'}),
            ('one found', self.LISTING, {'acme': made}, {'upsert': 1, 'withdraw': 1}, {'acme'}),
            ('none found', self.LISTING, {}, {'withdraw': 2}, set()),
            ('removed, whatever a scan says', {**self.LISTING, 'op': 'remove'}, {'acme': made}, {'withdraw': 2}, set()),
        ]:
            with self.subTest(what):
                content, after = of_event(listing, before, Look({'e2': found}, {}, {}, self.NOW))
                counts = Counter(identity[3] for identity in content)
                self.assertEqual((dict(counts), set(after)), (told, stands))
        self.assertEqual(of_event(self.LISTING, {}, Look({}, {}, {}, None)), ({}, {}))

    def row(self, **changed):
        """An event as a worker writes it."""
        row = {
            'suspect_id': 'matter', 'detection_id': withdrawals.hashed(['matter', '2', '0', *self.NOW, 'withdraw']), 'op': 'withdraw',
            'withdrawn_because': 'edited', 'event_id': 'e2', 'occurred_at': '2026-11-21T08:00:00Z', 'pass': 0, 'supersedes': 'first',
            'content_hash': withdrawals.content_hash(self.LISTING), 'brand_id': 'acme', 'product_id': None, 'score': 0.9, 'band': 'report',
            'caps': [], 'thresholds': {}, 'reason': 'counterfeit', 'evidence': [], 'images_seen': [], 'catalog_version': 'old',
            'policy_version': 'rules', 'engine_version': '1', 'detected_at': '2026-11-21T08:00:01Z',
            'listing': {name: self.LISTING[name] for name in ('platform', 'market', 'listing_id', 'revision', 'title', 'seller')},
        }
        return json.dumps({**row, **changed}).encode()

    def test_each_fault_is_seen(self):
        content, _ = of_event(self.LISTING, {'acme': self.before()}, Look({}, {}, {}, self.NOW))
        wanted = {identity: one for identity, (one, _) in content.items()}
        for what, records, numbers in [
            ('as it must be', [self.row()], (0, 0, 0)),
            ('another clock', [self.row(detected_at='2030-01-01T00:00:00Z')], (0, 0, 0)),
            ('lost', [], (1, 0, 0)),
            ('doubled', [self.row(), self.row()], (0, 1, 0)),
            ('of another brand', [self.row(brand_id='other')], (1, 1, 0)),
            ('another reason', [self.row(withdrawn_because='catalog')], (0, 0, 1)),
            ('another detection', [self.row(supersedes='second')], (0, 0, 1)),
            ('the id of a suspect that stands', [self.row(detection_id='first')], (0, 0, 1)),
            ('another score', [self.row(score=0.8)], (0, 0, 1)),
            ('another version', [self.row(catalog_version='new')], (0, 0, 1)),
            ('no reason', [self.row().replace(b'withdrawn_because', b'because')], (1, 1, 0)),
        ]:
            with self.subTest(what):
                verdict = judge(wanted, [suspect(one)[:2] for one in records])
                self.assertEqual((verdict.lost, verdict.doubled, verdict.changed), numbers)

    def test_stale_and_spoiled_events_take_nothing_back(self):
        rows = [{**self.LISTING, 'event_id': f'e{number}', 'revision': revision} for number, revision in enumerate((2, 1, 2, 4, 3, 5))]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'listings.jsonl'
            path.write_text(''.join(json.dumps(row) + '\n' for row in rows) + '{spoiled\n', encoding='utf-8')
            found = [(number, listing['event_id'], first) for number, listing, first in withdrawals.live(path, {6, 7})]
        self.assertEqual(found, [(1, 'e0', True), (4, 'e3', False)])

    def test_the_hash_is_the_programs(self):
        listing = {'title': 'Nordvale', 'brand': 'No Brand', 'seller': {'id': 's'}, 'images': [{'url': 'u', 'sha256': 'ab'}, {}]}
        self.assertEqual(withdrawals.content_hash(listing), withdrawals.hashed(['Nordvale', '', 'No Brand', 's', 'ab', '']))
        # As `scan` tells it of a listing of the examples.
        examples = (Path(__file__).parent.parent / 'examples' / 'listings.jsonl').read_text(encoding='utf-8').splitlines()
        self.assertEqual(withdrawals.content_hash(json.loads(examples[1])), '678b69ae6a35ddb4c682d8b0762513ba')


class Suspects(unittest.TestCase):
    """Faults among suspects."""

    def test_each_fault_is_seen(self):
        whole = expected(A, B, OF_ANOTHER_BRAND)
        all_of_it = seen(A, B, OF_ANOTHER_BRAND)
        for what, records, numbers in [
            ('all as it must be', all_of_it, (0, 0, 0)),
            ('another order', all_of_it[::-1], (0, 0, 0)),
            ('another clock', seen(record('a', at='2030-01-01T00:00:00.123Z'), B, OF_ANOTHER_BRAND), (0, 0, 0)),
            ('one lost', seen(A, B), (1, 0, 0)),
            ('all lost', [], (3, 0, 0)),
            ('one doubled', seen(A, B, OF_ANOTHER_BRAND, B), (0, 1, 0)),
            ('one three times', seen(A, A, A, B, OF_ANOTHER_BRAND), (0, 2, 0)),
            ('one that nobody expects', seen(A, B, OF_ANOTHER_BRAND, record('c')), (0, 1, 0)),
            ('one changed', seen(record('a', score=0.6), B, OF_ANOTHER_BRAND), (0, 0, 1)),
            ('one doubled, the second changed', seen(A, B, OF_ANOTHER_BRAND, record('b', score=0.6)), (0, 1, 1)),
            ('one lost and one doubled', seen(A, A, B), (1, 1, 0)),
            ('a wrong key', seen(A, B) + seen(OF_ANOTHER_BRAND, key=b'bazaar:ID:8'), (0, 0, 1)),
            ('a key of another listing in the payload', seen(record('a', listing='8'), B, OF_ANOTHER_BRAND), (0, 0, 1)),
            ('no JSON', all_of_it + seen(b'\xff{'), (0, 1, 0)),
        ]:
            with self.subTest(what):
                verdict = judge(whole, records)
                self.assertEqual((verdict.lost, verdict.doubled, verdict.changed), numbers)
                self.assertEqual(verdict.is_green(), numbers == (0, 0, 0))
                self.assertEqual(bool(verdict.examples), numbers != (0, 0, 0))

    def test_what_a_deleted_topic_held_may_miss_but_not_double(self):
        self.assertTrue(judge(expected(A, B), seen(A), may_miss=True).is_green())
        self.assertEqual(judge(expected(A, B), seen(A, A), may_miss=True).doubled, 1)

    def test_only_the_clock_is_left_out(self):
        self.assertEqual(digest(record('a', at='x')), digest(record('a', at='y')))
        self.assertNotEqual(digest(A), digest(A.replace(b'never', b'often')))


class DeadLetters(unittest.TestCase):
    """Faults among dead letters."""

    @staticmethod
    def letter(payload=b'spoiled', partition='3', offset='17', reason='not_json', told=None):
        sha256 = hashlib.sha256(told or payload).hexdigest()
        headers = {'partition': partition, 'offset': offset, 'reason': reason, 'sha256': sha256}
        return dead_letter(b'k', payload, [(name, value.encode()) for name, value in headers.items()])

    def test_each_fault_is_seen(self):
        good = self.letter()
        self.assertEqual(good[0], (3, 17))
        for what, letters, numbers in [
            ('all as it must be', [good], (0, 0, 0)),
            ('lost', [], (1, 0, 0)),
            ('doubled', [good, good], (0, 1, 0)),
            ('of another place', [self.letter(offset='18')], (1, 1, 0)),
            ('of no place', [good, self.letter(offset='')], (0, 1, 0)),
            ('another reason', [self.letter(reason='not_utf8')], (0, 0, 1)),
            ('another payload', [self.letter(b'other')], (0, 0, 1)),
            ('a payload that was changed on the way', [self.letter(b'other', told=b'spoiled')], (0, 0, 1)),
        ]:
            with self.subTest(what):
                verdict = judge(dict([good]), letters)
                self.assertEqual((verdict.lost, verdict.doubled, verdict.changed), numbers)


if __name__ == '__main__':
    unittest.main()
