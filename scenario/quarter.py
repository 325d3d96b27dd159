"""The quarter: thirteen weeks, each in stages of one kind of record, so that all that is decided has one order."""

from datetime import timedelta

from scenario.standing import Standing
from scenario.words import Words
from scenario.world import BRANDS, BY_ID, START, WEEKS, authorised

RINGS = 4
FLOOD_WEEK, FLOOD_BRAND = 6, 'dravonik'
SELLER_WEEKS = (3, 7, 10)
# Share of words that may come while their giver's tier changes.
MOST_UNDETERMINED = 0.05


class Quarter(Words):
    """The whole of it."""

    def quarter(self):
        """Plays it from the first day to the last."""
        for week in range(WEEKS):
            begin, end = START + timedelta(weeks=week), START + timedelta(weeks=week + 1)
            records, early = self._listings(week, begin)
            self.stage(f'week {week + 1} early', early)
            self.stage(f'week {week + 1} listings', records)
            if week == FLOOD_WEEK:
                self.stage(f'week {week + 1} flood', self._flood(end - timedelta(hours=20)))
            self.stage(f'week {week + 1} words', self._words(week, begin, end))
            if week in SELLER_WEEKS:
                self._seller(week, end)
            self.stage(f'week {week + 1} reactions', self._due_reactions(end))
        # What comes last makes every partition's last day pass.
        last = START + timedelta(weeks=WEEKS, days=2)
        ends = {matter.partition: matter for matter in self.model.matters.values() if matter.look}
        self.stage('close', [self._record('verdicts', self.current[matter.place], self.people.moderator(self.current[matter.place], 'unsure', last))
                             for matter in ends.values()])
        self.comparison.standing(Standing(self.policy, self.model), self.standing)
        self.comparison.cases(self.cases, self.last_cases)
        official = {listing.place() for listing in self.current.values() if listing.seller == authorised(listing.brand, listing.platform)}
        self.comparison.invariants(self.model, self.policy, official, self.removals)
        self.comparison.conserved(self.model.results, self.counts['verdicts'], self.counts['notices'] + self.counts['notices_of_sellers_listings'])
        self.comparison.covered(self.happened())
        # Where a tier changed within a stage either result is taken: that must stay rare.
        unsure = self.model.undetermined
        self.comparison.check('mostly_determined', unsure <= MOST_UNDETERMINED * self.counts['verdicts'], f'{unsure} words')

    def _moment(self, begin, days=6.0):
        return begin + timedelta(seconds=int(self.chance.uniform(0, days * 86_400)))

    def _new(self, listing):
        self.current[listing.place()] = listing
        if listing.kind == 'fair':
            self.untouched.append(listing)
        return listing.at, self._record('listings', listing, listing.event())

    def _listings(self, week, begin):
        """New, changed and removed listings of a week by time, and verdicts that come before their suspects."""
        events, early = [], []
        for _ in range(self.weekly):
            events.append(self._new(self.market.ordinary(self._moment(begin), BRANDS)))
        for _ in range(4 * self.scale if week % 3 == 1 else 0):
            listing = self.market.listing(self._moment(begin), BY_ID['caldessa'], 'copy')
            events.append(self._new(listing))
            word = self.people.verdict(listing, 'counterfeit', listing.at + timedelta(hours=self.chance.choice((3, 5, -30))))
            early.append(self._record('verdicts', listing, word))
        events.append(self._new(self.market.impostor(self._moment(begin), BY_ID['ostrevane'])))
        events.append(self._new(self.market.listing(self._moment(begin), BY_ID['nordvale'], 'copy', goods='watches')))
        for ring in range(RINGS):
            # Under a new name every three weeks.
            name = f's-ring-{ring}-{week // 3}'
            where = ('bazaar', 'ID') if ring % 2 else ('plaza', 'SG')
            for _ in range(2):
                listing = self.market.listing(self._moment(begin), BRANDS[ring], 'copy', seller=name, ring=f'ring-{ring}', where=where)
                events.append(self._new(listing))
        events += self._changes(begin)
        events.sort(key=lambda event: event[0])
        return [record for _, record in events], early

    def _changes(self, begin):
        """Of listings of earlier weeks: edited, made clean, told again, removed by their seller, put up again."""
        found = [matter for matter in self.model.matters.values() if matter.look and matter.place in self.current]
        chosen = self.chance.sample(found, min(len(found), 10 * self.scale))
        events, done = [], set()
        # What is answered this week is no longer what was asked.
        for _, listing, _ in [plan for plan in self.planned if plan[0] < begin + timedelta(days=5)][:2 * self.scale]:
            if listing.place() not in done and self.current[listing.place()] is listing:
                done.add(listing.place())
                edited = listing.edited(begin + timedelta(days=6))
                self.counts['listings_edited'] += 1
                events.append(self._new(edited))
        for number, matter in enumerate(chosen):
            if matter.place in done:
                continue
            done.add(matter.place)
            listing, at = self.current[matter.place], self._moment(begin)
            what = ('edited', 'cleaned', 'again', 'removed', 'again')[number % 5]
            self.counts[f'listings_{what}'] += 1
            if what in ('edited', 'cleaned'):
                listing = listing.edited(at, 'fair' if what == 'cleaned' else None)
                self.current[listing.place()] = listing
            events.append((at, self._record('listings', listing, listing.event('remove' if what == 'removed' else 'upsert', at))))
        back = [matter for matter in found if matter.life == 'withdrawn' and matter.place not in done]
        for matter in self.chance.sample(back, min(len(back), 2 * self.scale)):
            listing, at = self.current[matter.place], self._moment(begin)
            self.counts['listings_back'] += 1
            if matter.place not in done:
                events.append((at, self._record('listings', listing, listing.event('upsert', at))))
            done.add(matter.place)
        return events

    def _flood(self, at):
        """A day on which a rule goes wrong: a sale of honest shops whose template tears the name."""
        brand = BY_ID[FLOOD_BRAND]
        listings = [self.market.listing(at + timedelta(seconds=number), brand, 'sale', fake=False) for number in range(140 * self.scale)]
        return [self._new(listing)[1] for listing in listings]

    def _due_reactions(self, end):
        due = sorted((one for one in self.reactions if one[0] < end), key=lambda one: one[0])
        self.reactions = [one for one in self.reactions if one[0] >= end]
        # The worker may take the topics in any order: of a removal that is appealed against the receipt says `done`, which changes nothing.
        return [(topic, key, row) for _, topic, key, row in due]
