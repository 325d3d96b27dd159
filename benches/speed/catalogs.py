"""Catalogs as large as the benchmarks need them, recombined from a real one.

A product is the beginning of one product's name of a brand and the end of another's, with a model number of the same form
and the first one's price. The same seed gives the same files.
"""

import argparse
import json
import random
import re
import shutil
from pathlib import Path


def rows(path):
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines() if line.strip()]


def renumbered(chance, number):
    """A model number of the same form."""
    other = {True: '0123456789', False: 'ABCDEFGHJKLMNPQRSTUVWXYZ'}
    return ''.join(chance.choice(other[c.isdigit()]) if c.isalnum() and c.isascii() else c for c in number)


def recombined(chance, of_brand, name):
    """The beginning of a name and the end of another's of the same brand."""
    head, tail = name.split(), chance.choice(of_brand)['name'].split()
    return ' '.join(head[:max(1, (len(head) + 1) // 2)] + tail[len(tail) // 2:])


def products(chance, real, brands, count):
    """So many products over the brands; the real ones are the first of them."""
    by_brand = {brand['brand_id']: [] for brand in brands}
    for product in real:
        by_brand.setdefault(product['brand_id'], []).append(product)
    out = real[:count]
    for number in range(len(out), count):
        brand = brands[number % len(brands)]
        of_brand = by_brand[brand['brand_id']] or real
        first = chance.choice(of_brand)
        product = dict(first, product_id=f"{brand['brand_id']}:made-{number}", brand_id=brand['brand_id'])
        product['name'] = recombined(chance, of_brand, first['name'])
        product['model_numbers'] = [renumbered(chance, n) for n in first.get('model_numbers', [])]
        out.append(product)
    return out


def more_brands(brands, names, count):
    """The brands, and others of the names until there are so many; a name that is one already is left out."""
    known = {name.casefold() for brand in brands for name in [brand['name'], *brand.get('aliases', [])]}
    ids = {brand['brand_id'] for brand in brands}
    out = list(brands)
    for name in names:
        slug = re.sub(r'[^a-z0-9]+', '-', name.casefold()).strip('-')[:60]
        if len(out) >= count:
            break
        if len(name) < 2 or not slug or name.casefold() in known or slug in ids:
            continue
        known.add(name.casefold())
        ids.add(slug)
        template = brands[len(out) % len(brands)]
        out.append({'brand_id': slug, 'name': name, 'reference_prices': template.get('reference_prices', [])})
    return out


def make(source, names, out, brand_count, product_count, seed=1):
    """Writes a catalog folder with so many brands and products."""
    chance = random.Random(seed)
    brands = more_brands(rows(source / 'brands.jsonl'), names, brand_count)
    real = rows(source / 'products.jsonl')
    out.mkdir(parents=True, exist_ok=True)
    made = products(chance, real, brands, product_count)
    for file, table in [('brands.jsonl', brands), ('products.jsonl', made)]:
        with (out / file).open('w', encoding='utf-8') as stream:
            stream.writelines(json.dumps(row, ensure_ascii=False) + '\n' for row in table)
    if (source / 'fx.json').exists():
        shutil.copy(source / 'fx.json', out / 'fx.json')


def main():
    """Makes one catalog."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', type=Path, help='folder of a real catalog')
    parser.add_argument('out', type=Path)
    parser.add_argument('--names', type=Path, help='file of brand names, one a line')
    parser.add_argument('--brands', type=int, default=100)
    parser.add_argument('--products', type=int, default=100_000)
    parser.add_argument('--seed', type=int, default=1)
    asked = parser.parse_args()
    names = asked.names.read_text(encoding='utf-8').splitlines() if asked.names else []
    make(asked.source, [n.strip().strip('"') for n in names], asked.out, asked.brands, asked.products, asked.seed)


if __name__ == '__main__':
    main()
