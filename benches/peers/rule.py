"""The rule of the peers that read listings: a brand's name beside a code word, or a price far under the brand's.

It is that of `quality/afternoon.py`, as someone would write it for speed: one automaton over all names and code words, and prices in
dollars beforehand. Text is NFKC and case-folded. All texts are read that the scanner reads, or the title alone, as `afternoon` does.
"""

import json
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

import ahocorasick
import orjson

from quality.afternoon import CHEAP, CODE_WORDS

# What a bad listing raises: it is counted, and the run goes on.
BAD = (ValueError, KeyError, TypeError, AttributeError)


@dataclass
class Term:
    """What a text means where it stands as a whole word; one text may be both a code word and the name of some brands."""

    length: int
    brands: set = field(default_factory=set)
    is_code: bool = False


@dataclass
class Counts:
    """What a run has seen."""

    listings: int = 0
    named: int = 0
    flagged: int = 0
    bad: int = 0
    suspect_bytes: int = 0


class Rule:
    """Judges listings by a catalog folder's `brands.jsonl` and `fx.json`."""

    def __init__(self, catalog, title_only=False):
        catalog = Path(catalog)
        self.title_only = title_only
        self.rates = json.loads((catalog / 'fx.json').read_text(encoding='utf-8'))['per_usd']
        self.prices = {}
        terms = {}
        for line in filter(bytes.strip, (catalog / 'brands.jsonl').read_bytes().splitlines()):
            brand = orjson.loads(line)
            self.prices[brand['brand_id']] = self.references(brand)
            for name in [brand['name'], *brand.get('aliases', []), *brand.get('nicknames', [])]:
                add(terms, name).brands.add(brand['brand_id'])
        for word in CODE_WORDS:
            add(terms, word).is_code = True
        self.terms = len(terms)
        self.automaton = ahocorasick.Automaton()
        for text, term in terms.items():
            self.automaton.add_word(text, term)
        self.automaton.make_automaton()

    def references(self, brand):
        """The brand's reference prices: their categories, and dollars where the currency is known."""
        prices = ((set(price.get('category', [])), self.dollars(price)) for price in brand.get('reference_prices', []))
        return [(categories, dollars) for categories, dollars in prices if dollars]

    def dollars(self, price):
        """A price in dollars, where there is one and its currency is known."""
        rate = self.rates.get(price.get('currency')) if price else None
        return float(price['amount']) / rate if rate else None

    def cheapest(self, brand, category):
        """The brand's cheapest reference in dollars, among goods of the listing's category where it names one of the brand's."""
        own = [dollars for categories, dollars in self.prices[brand] if not categories.isdisjoint(category)]
        return min(own or [dollars for _, dollars in self.prices[brand]], default=None)

    def found(self, text):
        """Brands named and code words in a text, as whole words."""
        brands, codes = set(), []
        for last, term in self.automaton.iter(text):
            first = last - term.length + 1
            if (first and is_word(text[first - 1])) or (last + 1 < len(text) and is_word(text[last + 1])):
                continue
            brands |= term.brands
            if term.is_code:
                codes.append(text[first:last + 1])
        return brands, codes

    def judge(self, listing):
        """The brands named, the likeliest, its score (0 unless flagged) and what speaks for it."""
        brands, codes = self.found(normalised(listing['title'] if self.title_only else '\n'.join(texts(listing))))
        best = (0.0, None, None)
        price = self.dollars(listing.get('price')) if brands else None
        for brand in sorted(brands):
            reference = self.cheapest(brand, listing.get('category', []))
            ratio = price / reference if price and reference else 1.0
            score = float(bool(codes)) + (1.0 - ratio if ratio < CHEAP else 0.0)
            if score > best[0]:
                best = (score, brand, ratio)
        return brands, best, codes

    def scan(self, payload, counts):
        """The suspect of one listing as a line of JSON, or nothing; counts what was seen."""
        counts.listings += 1
        try:
            listing = orjson.loads(payload)
            brands, (score, brand, ratio), codes = self.judge(listing)
        except BAD:
            counts.bad += 1
            return None
        counts.named += bool(brands)
        if brand is None:
            return None
        counts.flagged += 1
        line = suspect(listing, brand, score, ratio, codes)
        counts.suspect_bytes += len(line)
        return line


def add(terms, text):
    """The term of a text, made where it is new."""
    text = normalised(text)
    return terms.setdefault(text, Term(len(text)))


def normalised(text):
    """Widths, ligatures and case are folded."""
    return unicodedata.normalize('NFKC', text).casefold()


def is_word(letter):
    r"""Whether a character belongs to a word, as `\w` of a regular expression says."""
    return letter.isalnum() or letter == '_'


def texts(listing):
    """The texts of a listing that the scanner reads as well."""
    yield listing['title']
    yield listing.get('brand') or ''
    yield listing.get('description') or ''
    for variant in listing.get('variants') or ():
        yield variant.get('name') or ''
    yield from (listing.get('attributes') or {}).values()
    yield from listing.get('image_text') or ()


def suspect(listing, brand, score, ratio, codes):
    """A line of JSON with what a reader of suspects wants to see."""
    kept = ('platform', 'market', 'listing_id', 'revision', 'url', 'title', 'brand', 'price', 'seller')
    return orjson.dumps({
        'op': 'upsert', 'event_id': listing['event_id'], 'occurred_at': listing['occurred_at'], 'brand_id': brand, 'score': round(score, 6),
        'price_ratio': round(ratio, 6), 'code_words': codes, 'listing': {name: listing[name] for name in kept if name in listing},
    })
