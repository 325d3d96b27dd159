"""The oracle must see each kind of fault: made-up records with one fault each. Run by `python -m unittest faults.test_oracle`."""

import hashlib
import json
import unittest

from faults.expectation import Either
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
                either = Either({'a': set(pairs)})
                for catalog, made in (('old', old), ('new', new)):
                    for one in made:
                        identity, content, brand = suspect(one)
                        either.add(catalog, identity, content, brand)
                chosen = {identity: content for identity, (content, _) in either.chosen('a', 'old', 'new').items()}
                self.assertEqual(judge(chosen, pairs).is_green(), is_right)

    def test_nothing_is_right_where_one_of_them_makes_nothing(self):
        either = Either({})
        identity, content, brand = suspect(A)
        either.add('new', identity, content, brand)
        self.assertEqual(either.chosen('a', 'old', 'new'), {})


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
