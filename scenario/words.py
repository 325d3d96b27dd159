"""What is said in a week of the play: verdicts and notices, right and wrong ones."""

from datetime import timedelta

from scenario.play import Play
from scenario.records import DOWN
from scenario.times import iso
from scenario.world import BY_ID, TERM
from scenario.spread import partition_of


class Words(Play):
    """Verdicts and notices."""

    def _words(self, week, begin, end):
        """Verdicts and notices of a week; no listing has both."""
        due = sorted((plan for plan in self.planned if plan[0] < end), key=lambda plan: plan[0])
        self.planned = [plan for plan in self.planned if plan[0] >= end]
        words = [(listing, row) for _, listing, row in due] + self._odd_verdicts(begin, end)
        self.said += words
        touched = {listing.place() for listing, _ in words}
        records = [self._record('verdicts', listing, row) for listing, row in words]
        if week % 4 == 1:
            records.append(('verdicts', 'bazaar:ID:spoiled', b'{"verdict_id": "spoiled'))
        notices = []
        for listing, row in self._notices(week, end, touched):
            notices.append(self._record('notices', listing, row))
        return records + notices

    def _pick(self, lives, touched, many, **wanted):
        """Matters in some state that nobody speaks of in this stage."""
        found = [matter for matter in self.model.matters.values() if matter.life in lives and matter.look and matter.place in self.current
                 and matter.place not in touched and all(getattr(self.current[matter.place], name) == value for name, value in wanted.items())
                 and matter.brand == self.current[matter.place].brand.id]
        chosen = self.chance.sample(found, min(len(found), many))
        touched.update(matter.place for matter in chosen)
        return [(matter, self.current[matter.place]) for matter in chosen]

    def _odd_verdicts(self, begin, end):
        """Foreign ones, doubles, contradictions, and a moderator who overrules."""
        at, odd, touched = end - timedelta(hours=3), [], {plan[1].place() for plan in self.planned}
        for _, listing in self._pick(('asked', 'removed', 'expired'), touched, 2 * self.scale):
            odd.append((listing, self.people.verdict(listing, 'counterfeit', at, suspect_id='0' * 32)))
        for _, listing in self._pick(('asked', 'expired'), touched, self.scale, brand=BY_ID['ondrelle']):
            odd.append((listing, self.people.verdict(listing, 'genuine', at, {'type': 'agent', 'id': 'greyfin'})))
        sent = [(listing, row) for listing, row in self.said if row['suspect_id'] in self.model.matters]
        for listing, row in self.chance.sample(sent, min(len(sent), 2 * self.scale)):
            odd.append((listing, row))
            again = dict(row, verdict_id=f'{row["verdict_id"]}-again', at=iso(at))
            again.pop('supersedes', None)
            odd.append((listing, again))
        for name in ('velmarsh', 'brixolan'):
            for matter, listing in self._pick(('removed',), touched, self.scale, fake=True, brand=BY_ID[name]):
                # An agent contradicts its brand, in vain, or the brand its agent.
                by = {'type': 'agent', 'id': 'greyfin'} if matter.holds and matter.holds.role == 'brand' else {'type': 'brand', 'id': f'{name}-desk'}
                odd.append((listing, self.people.verdict(listing, 'genuine', at, by)))
        for number, (matter, listing) in enumerate(self._pick(('removed',), touched, 3 * self.scale, fake=True, brand=BY_ID['caldessa'])):
            if matter.holds is not None and matter.holds.role == 'brand':
                # What it said before it knew better comes after, or it thinks again.
                by, before = {'type': 'brand', 'id': matter.holds.who}, matter.holds.at - timedelta(minutes=1)
                more = {'supersedes': matter.holds.id} if number % 3 == 0 else {}
                odd.append((listing, self.people.verdict(listing, 'genuine', at if more else before, by, **more)))
        for _, listing in self._pick(('removed', 'reported'), touched, 3 * self.scale, brand=BY_ID['zethryn']):
            odd.append((listing, self.people.moderator(listing, 'counterfeit' if listing.fake else 'genuine', at)))
        return odd

    def _fresh(self, many, **wanted):
        """Listings that nobody suspects or has spoken of."""
        found = [listing for listing in self.untouched if all(getattr(listing, name) == value for name, value in wanted.items())
                 and listing.at < self.until and not listing.seller.startswith('official')]
        chosen = found[:many]
        self.untouched = [listing for listing in self.untouched if listing not in chosen]
        return chosen

    def _notices(self, week, end, touched):
        """Good ones and bad ones."""
        at, people, notices = end - timedelta(hours=5), self.people, []
        self.until = at
        for brand in ('caldessa', 'ondrelle', 'ostrevane'):
            for listing in self._fresh(self.scale, brand=BY_ID[brand]):
                notices.append((listing, people.notice(listing, at, proof=self.chance.random() < 0.5)))
        for _, listing in self._pick(('asked', 'expired'), touched, 2 * self.scale, brand=BY_ID['pelagonne'], fake=True):
            notices.append((listing, people.notice(listing, at)))
        for listing in self._fresh(2 * self.scale, brand=BY_ID['zethryn']):
            notices.append((listing, people.notice(listing, at)))
        for listing in self._fresh(1):
            notices.append((listing, people.notice(listing, at, brand='nobrandatall')))
        for listing in self._fresh(1, brand=BY_ID['nordvale']):
            notices.append((listing, people.notice(listing, at, by={'type': 'agent', 'id': 'greyfin'})))
        for listing in self._fresh(1, brand=BY_ID['lumivere']):
            if at >= TERM:
                notices.append((listing, people.notice(listing, at, by={'type': 'agent', 'id': 'oldmark'})))
        for listing in self._fresh(1, brand=BY_ID['fenwycke'], market='TH'):
            notices.append((listing, people.notice(listing, at)))
        for _, listing in self._pick(('asked', 'reported', 'expired', 'rejected', 'removed'), touched, 1, goods='watches'):
            notices.append((listing, people.notice(listing, at)))
        for matter, listing in self._pick(DOWN, touched, self.scale, goods=''):
            if self.model.facts.covers_market(matter.brand, listing.market):
                notices.append((listing, people.notice(listing, at)))
        if week % 4 == 2:
            notices += self._large_order(at, week)
        notices += self._doubled()
        self.reported += notices
        return notices

    def _large_order(self, at, week):
        """More listings than an order may name, all in one partition, which counts them."""
        found = [listing for listing in self.untouched if listing.at < at and listing.brand.id not in ('fenwycke', 'zethryn')
                 and not listing.seller.startswith('official')
                 and partition_of(listing.key().encode(), self.partitions) == week % self.partitions]
        chosen = found[:self.policy.most_listings + 3]
        self.untouched = [listing for listing in self.untouched if listing not in chosen]
        return [(listing, self.people.notice(listing, at, order_id=f'order-{week}')) for listing in chosen]

    def _doubled(self):
        """A notice that sufficed for nothing comes once more."""
        for listing, row in self.reported[-40:]:
            matter = next((matter for matter in self.model.matters.values() if matter.place == listing.place() and not matter.look), None)
            if matter and matter.life == 'reported' and row['notice_id'] in self.model.notices and 'order_id' not in row:
                return [(listing, row)]
        return []

    def _seller(self, week, end):
        """A notice against all of a seller becomes one for each of the seller's listings."""
        known = {}
        for matter in self.model.matters.values():
            listing = self.current.get(matter.place)
            if matter.look and listing and listing.fake and listing.brand.agent == '' and listing.brand.manner == 'prompt':
                known.setdefault((listing.platform, listing.market, listing.seller), set()).add(matter.place)
        up = {matter.place for matter in self.model.matters.values() if matter.life in ('asked', 'expired', 'reported')}
        several = sorted((len(places & up), seller) for seller, places in known.items() if 2 <= len(places) <= 30)
        if not several:
            return
        platform, market, seller = several[-1][1]
        places = known[(platform, market, seller)]
        listing = self.current[sorted(places)[0]]
        before = self.counts['notices_of_sellers_listings']
        row = self.people.notice_of_seller(listing, end - timedelta(hours=2))
        self.stage(f'week {week + 1} seller', [('notices', f'{platform}:{market}:{seller}', row)])
        made = self.counts['notices_of_sellers_listings'] - before
        self.comparison.check('notices_of_a_seller', made == min(len(places), self.policy.most_listings), f'{seller}: {made} notices for {len(places)} listings')
