"""Holds what a run left on its topics against what is expected, with the help of the oracle."""

from dataclasses import dataclass, field

from faults import topics
from faults.common import say
from faults.expectation import Input, expect
from faults.oracle import Content, Verdict, dead_letter, judge, suspect


@dataclass
class Checked:
    """The verdict with the numbers of records that it stands on."""

    verdict: Verdict = field(default_factory=Verdict)
    listings: int = 0
    suspects: int = 0
    dead_letters: int = 0
    outcomes: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)


def check(touchstone, brokers, prefix, segments, own_topics, offsets, folder, deleted=()):
    """Reads every topic to its end. `offsets` are the group's, `deleted` brands whose topic was deleted meanwhile."""
    given = Input(brokers, f'{prefix}listings', folder)
    left = {number: end - offsets.get(number, 0) for number, end in given.ends.items() if end != offsets.get(number, 0)}
    seen = list(_suspects(brokers, f'{prefix}suspects'))
    observed = {}
    if any(segment.other for segment in segments):
        for identity, content in seen:
            observed.setdefault(identity[0], set()).add((identity, content))
    expected = expect(touchstone, given, segments, folder, offsets if left else None, observed)
    checked = Checked(listings=len(given), outcomes=expected.outcomes)

    checked.suspects = len(seen)
    checked.verdict.add(judge(expected.suspects, seen), 'suspects')

    dead = [dead_letter(one.key(), one.value() or b'', one.headers() or []) for one in topics.read(brokers, f'{prefix}dead-letters')]
    checked.dead_letters = len(dead)
    checked.verdict.add(judge(expected.dead_letters, dead), 'dead letters')

    for brand in own_topics:
        theirs = {identity: expected.suspects[identity] for identity in expected.of_brands.get(brand, ())}
        seen = _suspects(brokers, f'{prefix}suspects.{brand}')
        checked.verdict.add(judge(theirs, seen, brand in deleted), f'suspects.{brand}')

    if left:
        checked.problems.append(f'the committed offsets are not at the ends of the partitions: {left} listings are between')
    if not checked.suspects or not checked.listings:
        checked.problems.append('nothing was fed, or nothing found: this proves nothing')
    verdict = checked.verdict
    say(f'  {checked.listings:,} listings, {checked.suspects:,} suspects, {checked.dead_letters:,} dead letters: '
        f'{verdict.lost} lost, {verdict.doubled} doubled, {verdict.changed} changed')
    return checked


def _suspects(brokers, topic):
    """Identities and contents of suspects, with the keys that their records have."""
    for message in topics.read(brokers, topic):
        identity, content, _ = suspect(message.value() or b'')
        yield identity, Content(message.key(), content.digest)
