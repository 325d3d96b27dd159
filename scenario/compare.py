"""Holds what was written to what the model expects."""

import hashlib
from collections import Counter, defaultdict

from scenario.desk import DECIDED
from scenario.times import when

MOST_PROBLEMS = 200
NEAR = 1e-6
RESULTS = ('foreign', 'double', 'early', 'early, too many', 'outdated', 'contradictory, recorded', 'contradictory, applied', 'late', 'applied',
           'unsure', 'dead letter')
LETTERS = ('verdicts', 'notices', 'appeals', 'receipts')


class Comparison:
    """Checks by name, and what was wrong."""

    def __init__(self):
        self.done, self.failed, self.problems = Counter(), Counter(), []
        self.ids = {}

    def check(self, name, holds, words=''):
        """One check of a kind; `words` say what was found instead."""
        self.done[name] += 1
        if not holds:
            self.failed[name] += 1
            if len(self.problems) < MOST_PROBLEMS:
                self.problems.append(f'{name}: {words}')
        return holds

    def removals(self, model, expected, seen, stage):
        """Removals of a stage: each expected one once, with its fields; ids are learnt."""
        waiting = defaultdict(list)
        for row in seen:
            cause = ('notice_id', row['notice_id']) if row.get('notice_id') else ('suspect_id', row.get('suspect_id'))
            waiting[(row['op'], cause, when(row['at']))].append(row)
        for order in expected:
            rows = waiting.get((order.op, order.cause(), order.at))
            if not self.check('removal_written', rows, f'{stage}: missing {order.fields()} at {order.at} of {order.matter.life}'):
                continue
            row = rows.pop(0)
            for name, value in order.fields().items():
                found = row.get(name, False if name == 'shadow' else None)
                self.check(f'removal_{name}', found == value, f'{stage}: {row["removal_id"]} has {found!r} and not {value!r}')
            self._statement(order, row)
            new = self.ids.setdefault(row['removal_id'], order) is order
            self.check('removal_id_unique', new, f'{stage}: {row["removal_id"]} came twice')
            if order.reverses:
                self.check('withdrawal_reverses', row.get('reverses') == order.reverses.removal_id,
                           f'{stage}: {row["removal_id"]} reverses {row.get("reverses")} and not {order.reverses.removal_id}')
            elif new:
                self.check('removal_reverses_nothing', not row.get('reverses'), f'{stage}: {row["removal_id"]}')
                model.bind(order, row['removal_id'])
        for rows in waiting.values():
            for row in rows:
                self.check('removal_expected', False, f'{stage}: {row}')

    def _statement(self, order, row):
        words = row.get('statement') or ''
        # Withdrawals need not repeat what was sold.
        named = order.op == 'withdraw' or (order.matter.brand in words.lower() and order.matter.place[2] in words)
        self.check('removal_statement', words and named, f'{row["removal_id"]}: {words!r}')

    def letters(self, expected, seen, sent, stage):
        """Dead letters of verdicts, notices, appeals and receipts: each expected one once, with its reason and payload."""
        waiting = {}
        for record in seen:
            topic = record.headers.get('topic', '').rpartition('.')[2]
            if topic not in LETTERS:
                continue
            place = (topic, int(record.headers.get('partition', -1)), int(record.headers.get('offset', -1)))
            self.check('dead_letter_once', place not in waiting, f'{stage}: {place} twice')
            waiting[place] = record
        for *place, reason in expected:
            record = waiting.pop(tuple(place), None)
            if not self.check('dead_letter_written', record, f'{stage}: missing {reason} of {place}'):
                continue
            told = record.headers.get('reason')
            self.check('dead_letter_reason', told == reason if reason else told, f'{stage}: {place} has {told} and not {reason}')
            self.check('dead_letter_detail', record.headers.get('detail') or not reason, f'{stage}: {place} does not say what to do')
            came = sent[tuple(place)]
            same = record.value == came and record.headers.get('sha256', hashlib.sha256(came).hexdigest()) == hashlib.sha256(came).hexdigest()
            self.check('dead_letter_payload', same, f'{stage}: {place}')
        for place, record in waiting.items():
            self.check('dead_letter_expected', False, f'{stage}: {record.headers.get("reason")} of {place}: {record.headers.get("detail")}')

    def standing(self, standing, last):
        """The last standing of each brand; `last` is rows by brand."""
        for brand in sorted(set(standing.filings) | set(standing.answers)):
            row = last.get(brand)
            if not self.check('standing_written', row and row.get('as_of'), f'{brand}: {row}'):
                continue
            day = when(row['as_of']).date()
            overall, codes, reporters = standing.window(brand, day)
            self.check('standing_volume', row['volume'] == overall.volume(), f'{brand}: {row["volume"]} and not {overall.volume()}')
            self._shares(brand, row.get('overall') or {}, overall)
            for name, own in (('by_reason_code', codes), ('by_reporter', reporters)):
                told = row.get(name) or {}
                self.check(f'standing_{name}', set(told) == set(own), f'{brand}: {sorted(told)} and not {sorted(own)}')
                for key in set(told) & set(own):
                    self._shares(f'{brand} {key}', told[key], own[key])
            self._share(brand, 'in_time', (row.get('overall') or {}).get('in_time'), standing.in_time(brand, day))
            tier, since = standing.tier(brand, day)
            self.check('standing_tier', row['tier'] == tier,
                       f'{brand}: {row["tier"]} and not {tier}: it says {row.get("why")}, and it was {standing.path(brand, day)}')
            self.check('standing_since', since is None or when(row['since']).date() == since, f'{brand}: {row["since"]} and not {since}')
            self.check('standing_why', row.get('why') or tier == 'standard', brand)

    def _shares(self, whose, told, own):
        self.check('standing_shares_volume', told.get('volume') == own.volume(), f'{whose}: {told.get("volume")} and not {own.volume()}')
        self.check('standing_open', (told.get('open') or 0) == own.ends['open'], f'{whose}: {told.get("open")} and not {own.ends["open"]}')
        for end in ('upheld', 'countered', 'rejected'):
            self._share(whose, end, told.get(end), own.share(end))

    def _share(self, whose, name, told, own):
        near = (told or 0.0) == 0.0 if own is None else told is not None and abs(told - own) <= NEAR
        self.check(f'standing_{name}', near, f'{whose}: {told} and not {own}')

    def cases(self, cases, last):
        """Sellers that belong together; `last` is rows by case."""
        told = {frozenset(row['sellers']) for row in last.values() if not row.get('merged_into') and len(row.get('sellers', ())) > 1}
        own = cases.sets()
        for sellers in own:
            self.check('case_joined', sellers in told, f'missing {sorted(sellers)}')
        for sellers in told - own:
            self.check('case_expected', False, f'{sorted(sellers)}')
        for row in last.values():
            if not row.get('merged_into') and len(row.get('sellers', ())) > 1:
                self.check('case_says_why', row.get('joins'), row['case_id'])

    def invariants(self, model, policy, authorised, removals):
        """What must hold whatever the model says."""
        days, rules, withdrawn = Counter(), Counter(), {row['reverses'] for row in removals if row.get('reverses')}
        for row in removals:
            if row['op'] != 'remove':
                continue
            day = when(row['at']).date()
            days[(row['brand_id'], day)] += 1
            order = self.ids.get(row['removal_id'])
            if order is None:
                continue
            rules[(row['brand_id'], order.rule, day)] += bool(order.rule)
            self.check('no_removal_of_authorised', order.matter.place not in authorised, row['removal_id'])
            holds = order.matter.holds
            same = not order.void and order.matter.look is not None and order.matter.look.content_hash == order.content_hash
            genuine = same and holds is not None and holds.verdict in ('genuine', 'grey')
            self.check('no_removal_against_genuine', not genuine or row['removal_id'] in withdrawn, row['removal_id'])
        for (brand, day), count in days.items():
            self.check('days_caps', count <= policy.most_per_brand, f'{brand} on {day}: {count}')
        for key, count in rules.items():
            self.check('days_caps_by_rule', count <= policy.most_per_rule, f'{key}: {count}')
        gone = Counter(row['reverses'] for row in removals if row.get('reverses'))
        for removal_id, count in gone.items():
            self.check('withdrawn_once', count == 1, removal_id)

    def conserved(self, results, verdicts, notices):
        """Each verdict has one result, and each notice."""
        of_notices = sum(count for name, count in results.items() if name.startswith('notice'))
        of_verdicts = sum(results[name] for name in RESULTS)
        self.check('verdicts_conserved', of_verdicts == verdicts, f'{verdicts} verdicts, and {of_verdicts} results')
        self.check('notices_conserved', of_notices == notices, f'{notices} notices, and {of_notices} results')

    def covered(self, counts):
        """Everything that the play is to show did happen: else a green check proves nothing."""
        for name, count in counts.items():
            self.check('happened', count > 0, f'{name} never happened')


def ordered(records):
    """Records as the worker meets them: those of a topic and partition in order, topics one after the other."""
    return sorted(records, key=lambda record: (DECIDED.index(record.topic), record.partition, record.offset))
