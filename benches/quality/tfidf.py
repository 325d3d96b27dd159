"""The peer for product matching: TF-IDF vectors and their cosine, as every library offers it."""

import math
import re
from collections import Counter, defaultdict

TOP = 5


class TfIdf:
    """Names of products by their words, rare words weighing most."""

    def __init__(self, names):
        """Takes names by product id."""
        counts = {key: Counter(tokens(name)) for key, name in names.items()}
        seen = Counter(word for count in counts.values() for word in count)
        self.weight = {word: 1.0 + math.log((1 + len(names)) / (1 + n)) for word, n in seen.items()}
        self.unseen = 1.0 + math.log(1 + len(names))
        self.holders = defaultdict(list)
        for key, count in counts.items():
            for word, value in self.vector(count).items():
                self.holders[word].append((key, value))

    def vector(self, count):
        """A vector of length one."""
        raw = {word: n * self.weight.get(word, self.unseen) for word, n in count.items()}
        length = math.sqrt(sum(value * value for value in raw.values())) or 1.0
        return {word: value / length for word, value in raw.items()}

    def nearest(self, text):
        """The products nearest to a text, with their cosines."""
        cosine = defaultdict(float)
        for word, value in self.vector(Counter(tokens(text))).items():
            for key, held in self.holders.get(word, ()):
                cosine[key] += value * held
        return sorted(cosine.items(), key=lambda item: (-item[1], item[0]))[:TOP]


def tokens(text):
    """Words and numbers."""
    return re.findall(r'\w+', text.lower())


def described(listing):
    """What a listing says that a product's name could hold: title, brand and model."""
    return ' '.join(filter(None, [listing['title'], listing.get('brand'), listing.get('attributes', {}).get('model')]))


def match(products, listings):
    """Cosines by listing and product, of the five nearest products of each listing."""
    index = TfIdf({row['product_id']: row['name'] for row in products})
    return {(row['event_id'], product): cosine for row in listings for product, cosine in index.nearest(described(row))}
