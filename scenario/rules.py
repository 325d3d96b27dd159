"""The part of the policy that decides, and the facts of the catalog that it is applied to."""

from dataclasses import dataclass, field

NICE = {'shoes': 25, 'hoodies': 25, 'bags': 18, 'watches': 14, 'skincare': 3, 'audio': 9}


@dataclass
class Tier:
    """A tier: its measures, and what it buys."""

    name: str
    least_volume: int
    least_upheld: float
    most_countered: float
    least_in_time: float
    every_code: bool
    burden: str
    handled_in_days: int = 2


@dataclass
class Policy:
    """What policy.toml says of decisions."""

    mode: str = 'on'
    # (brand, market, mode)
    modes: tuple = ()
    most_per_brand: int = 2000
    most_per_rule: int = 1000
    most_per_reference: int = 200
    ask_days: int = 3
    ask_bands: tuple = ('ask_brand', 'report', 'remove')
    most_listings: int = 300
    window_days: int = 90
    back_after_days: int = 90
    burden: str = 'suspicion'
    most_failed: float = 0.24
    least_filings: int = 20
    tiers: tuple = ()
    partitions: int = 1

    def mode_of(self, brand, market):
        """Off, shadow or on."""
        return next((mode for own, place, mode in self.modes if (own, place) == (brand, market)), self.mode)

    def burden_of(self, tier):
        """What the word of a brand in a tier needs."""
        if tier == 'restricted':
            return 'moderator'
        return next((rule.burden for rule in self.tiers if rule.name == tier), self.burden)

    def toml(self):
        """The file."""
        lines = ['[removals]', f'mode = "{self.mode}"']
        lines += [f'{name} = {getattr(self, name)}' for name in ('most_per_brand', 'most_per_rule', 'most_per_reference')]
        for brand, market, mode in self.modes:
            lines += ['[[removals.of]]', f'brand = "{brand}"', f'market = "{market}"', f'mode = "{mode}"']
        lines += ['[asks]', f'days = {self.ask_days}', f'bands = {list(self.ask_bands)}']
        lines += ['[notices]', f'most_listings = {self.most_listings}']
        lines += ['[standing]', f'burden = "{self.burden}"']
        lines += [f'{name} = {getattr(self, name)}' for name in ('window_days', 'back_after_days', 'most_failed', 'least_filings')]
        # That findings fail is not part of the model.
        lines.insert(0, 'learning.least_verdicts = 1_000_000')
        for tier in self.tiers:
            lines.append('[[standing.tiers]]')
            for name, value in vars(tier).items():
                shown = f'"{value}"' if isinstance(value, str) else str(value).lower()
                lines.append(f'{name} = {shown}')
        return '\n'.join(lines) + '\n'


@dataclass
class Agent:
    """Who acts for brands."""

    brands: tuple
    markets: tuple = ()
    valid_until: object = None

    def acts(self, brand, market, at):
        """Whether for a brand, in a market, at a time."""
        return brand in self.brands and (not self.markets or market in self.markets) and not self.over(at)

    def over(self, at):
        """Whether the term has ended."""
        return self.valid_until is not None and at >= self.valid_until


@dataclass
class Facts:
    """Brands with the markets and Nice classes of their trademarks (none: everywhere, everything), and agents."""

    brands: dict = field(default_factory=dict)
    agents: dict = field(default_factory=dict)

    def covers_market(self, brand, market):
        """Whether a trademark of the brand counts there."""
        markets, _ = self.brands[brand]
        return not markets or market in markets or 'ZZ' in markets

    def covers_class(self, brand, category):
        """Whether goods of a category are covered; what has no known class is."""
        _, classes = self.brands[brand]
        nice = next((NICE[word.lower()] for word in reversed(category) if word.lower() in NICE), None)
        return not classes or nice is None or nice in classes
