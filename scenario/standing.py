"""Standing as docs/life.md counts it: of all filings at once, as they stand now."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass
class Shares:
    """Counts of filings by how they ended."""

    ends: Counter = field(default_factory=Counter)

    def volume(self):
        """All of them."""
        return sum(self.ends.values())

    def closed(self):
        """Those that are not open."""
        return self.volume() - self.ends['open']

    def share(self, *ends):
        """Share of those that are not open; none without any."""
        return sum(self.ends[end] for end in ends) / self.closed() if self.closed() else None


class Standing:
    """Volumes, shares and tiers of all brands."""

    def __init__(self, policy, model):
        self.policy = policy
        self.filings, self.answers = defaultdict(list), defaultdict(list)
        removals = Counter(order.matter.suspect_id for order in model.orders if order.op == 'remove')
        said = set()
        for filing in sorted(model.filings.values(), key=lambda filing: (filing.at, filing.id)):
            if filing.brand not in model.facts.brands:
                continue
            again = (filing.suspect_id, filing.reporter, filing.id in model.notices)
            if not filing.dead:
                if again in said:
                    continue
                said.add(again)
            self.filings[filing.brand].append((filing.at.date(), self._end(filing, removals, model), filing))
        for suspect_id, words in model.words.items():
            told = set()
            for brand, word in sorted(words, key=lambda pair: (pair[1].at, pair[1].id)):
                if word.role == 'moderator' or word.verdict == 'unsure' or (word.who, word.verdict) in told:
                    continue
                told.add((word.who, word.verdict))
                asked = max((ask for ask in model.asks.get(suspect_id, ()) if ask[0] <= word.at), key=lambda ask: ask[0], default=(None, None))
                if asked[1]:
                    self.answers[brand].append((word.at.date(), word.at <= asked[1]))

    @staticmethod
    def _end(filing, removals, model):
        if filing.dead:
            return 'rejected'
        won, ordered = model.appealed[filing.suspect_id], removals[filing.suspect_id]
        if won and ordered <= won:
            return 'countered'
        judged = [word for _, word in model.words.get(filing.suspect_id, ()) if word.role == 'moderator' and word.verdict != 'unsure']
        judge = max(judged, key=lambda word: (word.at, word.id), default=None)
        if judge and judge.verdict != 'counterfeit' and judge.at >= filing.at:
            return 'rejected'
        return 'upheld' if ordered > won else 'open'

    def window(self, brand, day):
        """Of a day: overall, by reason code and by reporter."""
        first = day - timedelta(days=self.policy.window_days - 1)
        overall, codes, reporters = Shares(), defaultdict(Shares), defaultdict(Shares)
        for filed, end, filing in self.filings[brand]:
            if first <= filed <= day:
                overall.ends[end] += 1
                reporters[filing.reporter].ends[end] += 1
                if filing.code:
                    codes[filing.code].ends[end] += 1
        return overall, codes, reporters

    def in_time(self, brand, day):
        """Share of answers that came in time; none without any."""
        first = day - timedelta(days=self.policy.window_days - 1)
        came = [in_time for answered, in_time in self.answers[brand] if first <= answered <= day]
        return sum(came) / len(came) if came else None

    def tier(self, brand, day):
        """The tier on a day, and the day since which."""
        return self.path(brand, day)[-1]

    def path(self, brand, day):
        """The tiers up to a day, each with the day since which."""
        filed = [at for at, _, _ in self.filings[brand]]
        tier, path = 'standard', [('standard', None)]
        if not filed:
            return path
        # A day before anything counts: then the first day with another tier is found, too.
        current, left = min(filed), {}
        while current <= day:
            now = self._tier(brand, current, tier, left)
            if now != tier:
                tier = now
                path.append((now, current))
            current += timedelta(days=1)
        return path

    def _tier(self, brand, day, before, left):
        overall, codes, _ = self.window(brand, day)
        failed = overall.share('countered', 'rejected')
        restricted = overall.closed() >= self.policy.least_filings and failed > self.policy.most_failed
        chosen = None
        for tier in self.policy.tiers:
            meets = not restricted and self._meets(tier, overall, codes, self.in_time(brand, day))
            if tier.name == before and not meets:
                left[tier.name] = day
            back = tier.name not in left or (day - left[tier.name]).days >= self.policy.back_after_days
            if meets and back and chosen is None:
                chosen = tier.name
        return 'restricted' if restricted else chosen or 'standard'

    @staticmethod
    def _meets(tier, overall, codes, in_time):
        def accurate(shares):
            # Where nothing has ended nothing speaks against it.
            return not shares.closed() or (
                shares.share('upheld') >= tier.least_upheld and shares.share('countered') <= tier.most_countered)

        parts = list(codes.values()) if tier.every_code else []
        return (overall.volume() >= tier.least_volume and overall.closed() > 0 and accurate(overall) and all(map(accurate, parts))
                and (in_time if in_time is not None else 1.0) >= tier.least_in_time)
