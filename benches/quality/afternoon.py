"""The peer that anyone could write in an afternoon: names, a list of code words, and a price far under the brand's.

It says what the scanner must beat to be worth its size. It is written to be good at what it is, not to lose.
"""

import json
import re

from .bench import read

CODE_WORDS = ['replica', 'rep', 'reps', '1:1', 'mirror quality', 'aaa', 'aaa+', 'ua', 'superfake', 'super fake', 'fake', 'knockoff', 'dupe',
              'imitation', 'inspired', 'copy', 'top quality', 'high quality', 'best batch', 'batch', 'oem', 'kw', 'premium', 'grade',
              'master copy']
# Cheaper than this share of the brand's cheapest reference is suspect.
CHEAP = 0.4


class Afternoon:
    """The brands of a catalog by their names, with the prices that each asks."""

    def __init__(self, catalog):
        brands = read(catalog / 'brands.jsonl')
        self.rates = json.loads((catalog / 'fx.json').read_text(encoding='utf-8'))['per_usd']
        self.brand_of = {name.lower(): b['brand_id'] for b in brands for name in [b['name'], *b.get('aliases', [])]}
        self.names = words(self.brand_of)
        self.codes = words(CODE_WORDS)
        self.prices = {b['brand_id']: b.get('reference_prices', []) for b in brands}

    def cheapest(self, brand, category):
        """The brand's cheapest reference in dollars, among goods of the listing's category where it names one of the brand's."""
        own = [price for price in self.prices[brand] if set(price['category']) & set(category)]
        return min(filter(None, map(self.dollars, own or self.prices[brand])), default=None)

    def dollars(self, price):
        """A price in dollars, where there is one and its currency is known."""
        rate = self.rates.get(price.get('currency')) if price else None
        return float(price['amount']) / rate if rate else None

    def judge(self, listing):
        """The likeliest brand and a score, 0 unless flagged: a code word counts one, a price the more the lower it is."""
        # Descriptions name more brands than a listing sells, and cost this peer more than they give.
        title = listing['title'].lower()
        brands = sorted({self.brand_of[name] for name in self.names.findall(title)})
        coded = bool(self.codes.search(title))
        price = self.dollars(listing.get('price'))
        best = (0.0, None)
        for brand in brands:
            reference = self.cheapest(brand, listing.get('category', []))
            ratio = price / reference if price and reference else 1.0
            score = float(coded) + (1.0 - ratio if ratio < CHEAP else 0.0)
            best = max(best, (score, brand), key=lambda pair: pair[0])
        return best


def words(names):
    """A pattern of whole words, the longest first."""
    either = '|'.join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf'(?<!\w)(?:{either})(?!\w)')


def measure(catalog, listings, labels):
    """Precision, recall, right brand and recall at 99 % precision, and the counts by source, on labelled listings."""
    peer = Afternoon(catalog)
    labels = {row['event_id']: row for row in read(labels)}
    judged = [(peer.judge(row), labels[row['event_id']]) for row in read(listings) if row['event_id'] in labels]
    suspects = sum(label['label'] == 'suspect' for _, label in judged)
    flagged = [(score, brand, label) for (score, brand), label in judged if score > 0.0]
    true = [(brand, label) for _, brand, label in flagged if label['label'] == 'suspect']
    right = sum(label['brand_id'] in (None, brand) for brand, label in true)
    by_source = {}
    for (score, _), label in judged:
        counts = by_source.setdefault(label['source'], {'suspect': [0, 0], 'clean': [0, 0]})[label['label']]
        counts[0] += score > 0.0
        counts[1] += 1
    return {
        'true': len(true), 'false': len(flagged) - len(true), 'precision': len(true) / max(1, len(flagged)), 'recall': len(true) / suspects,
        'right_brand': right / max(1, len(true)), 'recall_at_99': recall_at_99(flagged, suspects), 'sources': by_source,
    }


def recall_at_99(flagged, suspects):
    """The highest recall of any cut on the score at which precision is at least 99 %."""
    by_score = sorted(flagged, key=lambda row: -row[0])
    hits, best = 0, 0
    for place, (score, _, label) in enumerate(by_score, 1):
        hits += label['label'] == 'suspect'
        last = place == len(by_score) or by_score[place][0] < score
        if last and hits >= 0.99 * place:
            best = hits
    return best / suspects
