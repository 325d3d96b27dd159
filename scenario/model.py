"""A model of docs/life.md, made from its text alone: from the records of a partition, in order, it says what must come of them."""

from collections import Counter

from scenario import checks
from scenario.guard import Guard
from scenario.records import BANDS, DOWN, RANK, Filing, Look, Matter, Order, Said, suspect_id
from scenario.times import when

MOST_EARLY = 8


class Model:
    """The dockets of all partitions."""

    def __init__(self, policy, facts, calendars):
        self.policy, self.facts, self.calendars = policy, facts, calendars
        self.matters, self.now, self.guard = {}, {}, Guard(policy)
        self.orders, self.dead, self.results = [], [], Counter()
        self.filings, self.moderated = {}, {}
        # Of each matter its questions, each with when it is due, and every verdict that was not refused.
        self.asks, self.words = {}, {}
        self.appealed, self.of_removal = Counter(), {}
        self.notices, self.listings_of_order = set(), Counter()
        # Tiers that brands may be in now, and who was seen to be removed: for words that came while a tier changed.
        self.tiers, self.seen = {}, set()
        self.undetermined = 0

    # --- What comes in ---

    def suspect(self, partition, row):
        """A record of `suspects`."""
        at = when(row['occurred_at'])
        self._pass(partition, at)
        listing = row['listing']
        place = (listing['platform'], listing['market'], listing['listing_id'])
        matter = self.matters.get(row['suspect_id'])
        if row['op'] == 'withdraw':
            if matter is None or matter.look is None or matter.life == 'withdrawn':
                self.results['out_of_turn'] += 1
                return
            self._take_back(matter, at)
            matter.life, matter.because, matter.due_at = 'withdrawn', row.get('withdrawn_because', ''), None
            return
        look = self._look(row, at)
        due = self.calendars.due(place[1], at, self.policy.ask_days) if look.band in self.policy.ask_bands else None
        self.asks.setdefault(row['suspect_id'], []).append((at, due))
        if matter is None or matter.look is None:
            matter = matter or self._matter(partition, row['brand_id'], place)
            matter.look = look
            if matter.life:
                # A notice was accepted before.
                return
            matter.life = 'suspected'
            waiting, matter.early = matter.early, []
            for said in waiting:
                self._hear(matter, said)
            if matter.life == 'suspected':
                self._act(matter, at)
            return
        before, matter.look = matter.look, look
        if before.content_hash != look.content_hash:
            # A removal that stands is left to itself: it was of other content.
            matter.order = None
            self._anew(matter, at)
            return
        look.first_at = before.first_at
        if matter.life == 'withdrawn':
            if matter.holds is None or matter.holds.verdict == 'unsure':
                self._anew(matter, at)
            else:
                matter.life, matter.refused = 'suspected', False
                self._apply(matter, matter.holds, at)
        elif matter.life in ('suspected', 'asked', 'expired', 'reported') and look.band == 'remove' and not matter.refused:
            self._order(matter, 'proactive', at)

    def verdict(self, place, row):
        """A record of `verdicts`: `place` is its partition and offset, `row` nothing where it cannot be read."""
        if row is None:
            self._letter('verdicts', place, None)
            self.results['dead letter'] += 1
            return
        said = Said(row['verdict_id'], row['verdict'], row['by']['type'], row['by']['id'], when(row['at']), bool(row.get('proof')),
                    supersedes=row.get('supersedes', ''))
        where = (row['platform'], row['market'], row['listing_id'])
        if said.verdict == 'counterfeit' and said.role != 'moderator':
            self._file(said, row, row['suspect_id'])
        if checks.foreign(self.facts, row, said.at):
            self._letter('verdicts', place, 'foreign')
            self.results['foreign'] += 1
            # It is nothing of the brand's.
            self.filings.pop(said.id, None)
            return
        self.words.setdefault(row['suspect_id'], []).append((row['brand_id'], said))
        matter = self.matters.get(row['suspect_id']) or self._matter(place[0], row['brand_id'], where)
        self.results[self._hear(matter, said)] += 1

    def notice(self, place, row):
        """A record of `notices`."""
        if row is None:
            self._letter('notices', place, None)
            self.results['notice dead letter'] += 1
            return
        at, target = when(row['at']), row['target']
        if 'listing_id' not in target:
            reason = checks.reporter(self.facts, row, at)
            if reason:
                self._letter('notices', place, reason)
            self.results['notice of a seller' if not reason else 'notice refused'] += 1
            return
        where = (target['platform'], target['market'], target['listing_id'])
        identity = suspect_id(*where, row['brand_id'])
        matter = self.matters.get(identity)
        order = (place[0], row.get('order_id'))
        reason = checks.notice(self.facts, self.policy, row, at, matter, self.listings_of_order[order], row['notice_id'] in self.notices)
        said = Said(row['notice_id'], 'counterfeit', row['by']['type'], row['by']['id'], at, bool(row.get('proof')), notice=True)
        if reason != 'double':
            self._file(said, row, identity)
        last = next((one for one in reversed(matter.given) if (one.role, one.who) == (said.role, said.who)), None) if matter else None
        if not reason and last and (last.verdict, last.notice) == (said.verdict, said.notice):
            # The same reporter's second notice: it counted towards its order.
            self.listings_of_order[order] += bool(row.get('order_id'))
            reason = 'double'
        if reason:
            self._letter('notices', place, reason)
            self.results['notice refused'] += 1
            if said.id not in self.notices:
                if reason in ('unknown_brand', 'not_the_reporters_brand', 'double'):
                    self.filings.pop(said.id, None)
                else:
                    self.filings[said.id].dead = True
            return
        self.notices.add(said.id)
        if row.get('order_id'):
            self.listings_of_order[order] += 1
        matter = matter or self._matter(place[0], row['brand_id'], where)
        if not matter.life:
            matter.life = 'suspected'
        self._judge(matter, said)
        self.results['notice accepted'] += 1

    def appeal(self, partition, row):
        """A record of `appeals`."""
        at = when(row['at'])
        order = self.of_removal.get(row['removal_id'])
        matter = order and order.matter
        stands = matter is not None and matter.order is order
        if stands and row['outcome'] == 'opened' and matter.life == 'removed':
            matter.life = 'countered'
        elif stands and row['outcome'] == 'won' and matter.life in DOWN:
            self.appealed[matter.suspect_id] += 1
            matter.cleared = True
            self._take_back(matter, at)
            matter.life = 'reinstated'
        elif stands and row['outcome'] == 'lost' and matter.life == 'countered':
            matter.life = 'upheld'
        else:
            self.results['out_of_turn'] += 1
            return
        self.results[f'appeal {row["outcome"]}'] += 1

    def receipt(self, partition, row):
        """A record of `receipts`."""
        order = self.of_removal.get(row['removal_id'])
        matter = order and order.matter
        if matter is None or matter.order is not order or matter.life != 'removed':
            self.results['out_of_turn'] += 1
            return
        order.void = row['outcome'] != 'done'
        if row['outcome'] == 'refused':
            matter.life, matter.order, matter.refused = 'reported', None, True
        elif row['outcome'] == 'not_found':
            # Nothing is there to be put back.
            matter.life, matter.because, matter.order = 'withdrawn', 'listing_removed', None
        self.results[f'receipt {row["outcome"]}'] += 1

    def bind(self, order, removal_id):
        """The id that a removal was given."""
        order.removal_id = removal_id
        self.of_removal[removal_id] = order

    def lives(self):
        """How many matters are in which state."""
        return Counter(matter.life for matter in self.matters.values() if matter.life)

    # --- What comes of it ---

    def _pass(self, partition, at):
        """Time goes on in a partition."""
        self.now[partition] = max(self.now.get(partition, at), at)

    def settle(self):
        """Questions whose time has passed."""
        for matter in self.matters.values():
            if matter.life == 'asked' and self.now[matter.partition] > matter.due_at:
                matter.life = 'expired'

    def _day(self, partition):
        """The day that it is for a partition; nothing before any event of the platform."""
        return self.now[partition].date() if partition in self.now else None

    def _matter(self, partition, brand, place):
        identity = suspect_id(*place, brand)
        return self.matters.setdefault(identity, Matter(identity, brand, place, partition))

    @staticmethod
    def _look(row, at):
        found = [item for item in row['evidence'] if item['detector'] != 'prior']
        best = max(found, key=lambda item: item['weight'], default={})
        pictures = [item for item in found if item['detector'] == 'image' and item.get('reference')]
        picture = max(pictures, key=lambda item: item['weight'], default={})
        return Look(row['listing']['revision'], at, at, row['content_hash'], row['band'], row['reason'], best.get('kind', ''),
                    picture.get('reference', ''), tuple(row['listing'].get('category', ())))

    def _anew(self, matter, at):
        matter.given, matter.holds, matter.due_at = [], None, None
        matter.refused, matter.cleared = False, False
        self._act(matter, at)

    def _act(self, matter, at):
        if matter.look.band == 'remove' and self._order(matter, 'proactive', at) == 'ordered':
            return
        self._ask(matter, at)

    def _ask(self, matter, at):
        if matter.look is not None and matter.look.band in self.policy.ask_bands:
            matter.life, matter.due_at = 'asked', self.calendars.due(matter.place[1], at, self.policy.ask_days)
        else:
            matter.life, matter.due_at = 'suspected', None

    def _hear(self, matter, said):
        """A verdict comes for a matter; tells its result."""
        heard = matter.given + matter.early
        last = next((one for one in reversed(heard) if (one.role, one.who) == (said.role, said.who)), None)
        if any(one.id == said.id for one in heard) or (last and (last.verdict, last.notice) == (said.verdict, said.notice)):
            return 'double'
        if matter.look is None and not any(one.notice for one in matter.given):
            if len(matter.early) < MOST_EARLY:
                matter.early.append(said)
                return 'early'
            return 'early, too many'
        return self._judge(matter, said)

    def _judge(self, matter, said):
        if not said.notice and matter.look and said.at < matter.look.first_at:
            return 'outdated'
        matter.given.append(said)
        if said.verdict == 'unsure':
            return 'unsure'
        if matter.holds is not None and matter.holds.verdict != said.verdict:
            rank, held = RANK[said.role], RANK[matter.holds.role]
            newer = rank == held and said.at > matter.holds.at
            if said.supersedes != matter.holds.id and rank <= held and not newer:
                return 'contradictory, recorded'
            self._hold(matter, said)
            return 'contradictory, applied'
        late = matter.due_at is not None and said.at > matter.due_at
        self._hold(matter, said)
        return 'late' if late else 'applied'

    def _hold(self, matter, said):
        if matter.holds is None or matter.holds.verdict != said.verdict or RANK[said.role] >= RANK[matter.holds.role]:
            matter.holds = said
        self._apply(matter, said, said.at)

    def _apply(self, matter, said, at):
        if said.verdict == 'counterfeit' and matter.life not in (*DOWN, 'withdrawn'):
            came = 'too little'
            if self._suffices(matter, said) and (not matter.cleared or said.role == 'moderator'):
                came = self._order(matter, 'notice' if said.notice else 'verdict', at, said.id if said.notice else '')
            if came != 'ordered':
                matter.life = 'reported'
        elif said.verdict in ('genuine', 'grey'):
            if matter.life in DOWN:
                self._take_back(matter, at)
                matter.life = 'reinstated'
            elif matter.life in ('suspected', 'asked', 'reported', 'expired'):
                self._take_back(matter, at)
                matter.life = 'rejected'

    def _suffices(self, matter, said):
        if said.role == 'moderator':
            return True
        tiers = self.tiers.get(matter.brand, {'standard'})
        answers = {self._meets(self.policy.burden_of(tier), matter, said) for tier in tiers}
        if len(answers) == 1:
            return answers.pop()
        # The tier changed meanwhile: either is right.
        self.undetermined += 1
        return (said.id if said.notice else matter.suspect_id, said.at) in self.seen

    @staticmethod
    def _meets(burden, matter, said):
        band = BANDS.index(matter.look.band) if matter.look else -1
        by_moderator = any(one.role == 'moderator' and one.verdict == 'counterfeit' for one in matter.given)
        return {'word': True, 'suspicion': band >= 1, 'proof': band >= 2 or said.proven, 'moderator': by_moderator}[burden]

    def _order(self, matter, origin, at, notice_id=''):
        """Orders a removal where the mode and the caps allow it: `ordered`, `shadow`, `held` or `off`."""
        mode = self.policy.mode_of(matter.brand, matter.place[1])
        if mode == 'off':
            return 'off'
        look = matter.look
        content = look.content_hash if look else ''
        order = Order('remove', matter, at, origin, look.reason if look else 'counterfeit', look.revision if look else 0, mode == 'shadow',
                      notice_id, content, rule=look.rule if look else '')
        if order.shadow and (content, matter.removals) in matter.shadows:
            return 'shadow'
        if not self.guard.lets(matter.partition, matter.brand, look, self._day(matter.partition)):
            return 'held'
        self.orders.append(order)
        matter.order = order
        if order.shadow:
            matter.shadows.add((content, matter.removals))
            return 'shadow'
        matter.removals += 1
        matter.life = 'removed'
        return 'ordered'

    def _take_back(self, matter, at):
        order, matter.order = matter.order, None
        if order is not None:
            if order.shadow:
                matter.shadows.discard((order.content_hash, matter.removals))
            self.orders.append(Order('withdraw', matter, at, order.origin, order.reason, order.revision, order.shadow, order.notice_id,
                                     order.content_hash, order, rule=order.rule))

    def _file(self, said, row, identity):
        self.filings.setdefault(said.id, Filing(said.id, row['brand_id'], row.get('reason_code', ''), said.who, said.at, identity))

    def _letter(self, topic, place, reason):
        self.dead.append((topic, *place, reason))
