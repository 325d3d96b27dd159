"""Which sellers belong together: joined by keys of the platform and by pictures, over suspected listings only."""


class Cases:
    """A union-find of sellers."""

    def __init__(self):
        self.parent, self.first = {}, {}

    def suspect(self, row):
        """A record of `suspects`."""
        listing = row['listing']
        seller = f'{listing["platform"]}:{listing["seller"]["id"]}'
        keys = [(link['kind'], link['key']) for link in listing['seller'].get('links', ())]
        keys += [('picture', image['sha256']) for image in listing.get('images', ()) if image.get('sha256')]
        self.find(seller)
        for key in keys:
            self.join(self.first.setdefault(key, seller), seller)

    def find(self, seller):
        """The one that stands for all that a seller belongs to."""
        self.parent.setdefault(seller, seller)
        while self.parent[seller] != seller:
            self.parent[seller] = self.parent[self.parent[seller]]
            seller = self.parent[seller]
        return seller

    def join(self, one, other):
        """Two sellers belong together."""
        self.parent[self.find(one)] = self.find(other)

    def sets(self):
        """Sellers that belong together, two at least."""
        found = {}
        for seller in self.parent:
            found.setdefault(self.find(seller), set()).add(seller)
        return {frozenset(sellers) for sellers in found.values() if len(sellers) > 1}
