"""The world of the play: three marketplaces, twelve brands, their agents and sellers, and the catalog folder that says so."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from scenario.rules import NICE, Agent, Facts, Policy, Tier

START = datetime(2026, 7, 6, tzinfo=timezone.utc)
WEEKS = 13
PLATFORMS = {'bazaar': ('ID', 'VN', 'TH'), 'plaza': ('SG', 'MY', 'PH'), 'galleria': ('KR', 'TW')}
MARKETS = [(platform, market) for platform, markets in PLATFORMS.items() for market in markets]
OFFICIAL = 'Ostrevane Official Store'
# Six weeks into the quarter.
TERM = START + timedelta(days=42)


@dataclass
class Brand:
    """A brand and how it behaves."""

    id: str
    name: str
    goods: str
    price: int
    # prompt, lazy, dishonest
    manner: str = 'prompt'
    agent: str = ''


BRANDS = [
    Brand('nordvale', 'Nordvale', 'shoes', 120),
    Brand('ondrelle', 'Ondrelle', 'skincare', 60),
    Brand('dravonik', 'Dravonik', 'audio', 140),
    Brand('caldessa', 'Caldessa', 'bags', 640),
    Brand('fenwycke', 'Fenwycke', 'hoodies', 90),
    Brand('jorvanta', 'Jorvanta', 'shoes', 150),
    Brand('velmarsh', 'Velmarsh', 'bags', 480, agent='greyfin'),
    Brand('brixolan', 'Brixolan', 'audio', 110, agent='greyfin'),
    Brand('lumivere', 'Lumivere', 'skincare', 85, agent='oldmark'),
    Brand('pelagonne', 'Pelagonne', 'watches', 900, manner='lazy'),
    Brand('zethryn', 'Zethryn', 'watches', 1500, manner='dishonest'),
    Brand('ostrevane', 'Ostrevane', 'shoes', 210),
]
BY_ID = {brand.id: brand for brand in BRANDS}
# One brand's trademark counts in few markets, another's for its own class of goods alone; nothing is removed for real of one in one market.
FEW_MARKETS = {'fenwycke': ('ID', 'VN', 'SG')}
ONE_CLASS = ('nordvale',)
SHADOW = ('jorvanta', 'KR')
AGENTS = {
    'greyfin': Agent(('velmarsh', 'brixolan'), ('ID', 'VN', 'TH', 'SG', 'MY', 'PH', 'KR', 'TW')),
    'oldmark': Agent(('lumivere',), (), TERM),
}


def policy(partitions, scale):
    """Caps that ordinary days stay under, and tiers that a quarter of so many listings reaches."""
    return Policy(
        modes=((*SHADOW, 'shadow'),), most_per_brand=60 * partitions * scale, most_per_rule=8 * partitions * scale,
        most_per_reference=50 * partitions * scale, most_listings=6, window_days=35, back_after_days=21, least_filings=10, partitions=partitions,
        tiers=(Tier('good_faith', 8, 0.9, 0.05, 0.0, True, 'word', 1), Tier('expedited', 20, 0.7, 0.2, 0.0, False, 'suspicion', 2)),
    )


def facts():
    """What the catalog says of brands and agents."""
    brands = {brand.id: (FEW_MARKETS.get(brand.id, ()), (NICE[brand.goods],) if brand.id in ONE_CLASS else ()) for brand in BRANDS}
    return Facts(brands, AGENTS)


def _rows(path, rows):
    path.write_text(''.join(json.dumps(row) + '\n' for row in rows), encoding='utf-8')


def write(folder, rules):
    """The catalog folder."""
    folder.mkdir(parents=True)
    (folder / 'policy.toml').write_text(rules.toml(), encoding='utf-8')
    covered = facts().brands
    _rows(folder / 'brands.jsonl', [{
        'brand_id': brand.id, 'name': brand.name, 'rights_holder_id': f'{brand.id}-holder', 'categories': [brand.goods],
        'reference_prices': [{'category': [brand.goods], 'amount': str(brand.price), 'currency': 'USD'}],
        'trademarks': [{'number': f'EX-{number:04}', 'office': 'WIPO', 'nice_classes': list(covered[brand.id][1]),
                        'markets': list(covered[brand.id][0]) or ['ZZ']}],
    } for number, brand in enumerate(BRANDS)])
    _rows(folder / 'products.jsonl', [{
        'product_id': f'{brand.id}:classic', 'brand_id': brand.id, 'name': f'{brand.name} Classic {brand.goods.title()}',
        'category': [brand.goods.title()], 'reference_prices': [{'amount': str(brand.price), 'currency': 'USD'}],
        # Nobody shows it, but with it pictures are looked at.
        'images': [{'pdq': f'{number:02x}5aa5c3' * 8}],
    } for number, brand in enumerate(BRANDS)])
    _rows(folder / 'rights_holders.jsonl', [{
        'rights_holder_id': f'{brand.id}-holder', 'name': f'{brand.name} Holding',
        'agents': [{
            'agent_id': name, 'name': name.title(), 'brands': [brand.id], 'markets': list(agent.markets),
            **({'valid_until': agent.valid_until.isoformat().replace('+00:00', 'Z')} if agent.valid_until else {}),
        } for name, agent in AGENTS.items() if brand.id in agent.brands],
    } for brand in BRANDS])
    _rows(folder / 'authorised_sellers.jsonl', [
        {'brand_id': brand.id, 'platform': platform, 'seller_id': authorised(brand, platform)} for brand in BRANDS for platform in PLATFORMS
    ])


def authorised(brand, platform):
    """The official store of a brand on a platform."""
    return f'official-{brand.id}-{platform}'
