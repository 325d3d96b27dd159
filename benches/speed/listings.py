"""Listings: how many a processor scans in a second, beside a Python program of the same rule, and how that falls with the catalog."""

import hashlib
import json

from quality.page import Target
from speed import catalogs
from speed.tools import median_of, peer, run

NAMES = 'words/lazada_brand_names.txt'


def repeated(source, out, times):
    """The listings so many times, each time under other ids, since a revision seen before is not scanned."""
    rows = [json.loads(line) for line in source.read_text(encoding='utf-8').splitlines()]
    with out.open('w', encoding='utf-8') as stream:
        for turn in range(times):
            for row in rows:
                other = dict(row, listing_id=f"{row['listing_id']}-{turn}", event_id=f"{row['event_id']}-{turn}")
                stream.write(json.dumps(other, ensure_ascii=False, separators=(',', ':')) + '\n')
    return len(rows) * times


def made(setup, brands, products):
    """The file of a compiled catalog with so many brands and products."""
    folder, file = setup.work / f'catalog-{brands}-{products}', setup.work / f'catalog-{brands}-{products}.bin'
    names = [name.strip().strip('"') for name in (setup.data / NAMES).read_text(encoding='utf-8').splitlines()]
    catalogs.make(setup.data / 'listings' / 'catalog', names, folder, brands, products)
    _, built = run(setup.touchstone, 'catalog', 'build', folder, '-o', file)
    return file, built


def of_processor(setup, catalog, listings, count):
    """Microseconds of processor time a listing, and to open the catalog."""
    scan = [setup.touchstone, 'scan', '--threads', '1', '--out', '/dev/null', '--catalog', catalog, '--listings']
    opened = median_of(setup.rounds, lambda: run(*scan, '/dev/null')[1])
    scanned = median_of(setup.rounds, lambda: run(*scan, listings)[1])
    return (scanned - opened) / count * 1e6, opened


def same_answer(setup, catalog, listings):
    """What one and two threads write must be the same, but for when it was found."""
    sums = []
    for threads in (1, 2):
        output, _ = run(setup.touchstone, 'scan', '--threads', threads, '--catalog', catalog, '--listings', listings)
        rows = [json.loads(line) for line in output.splitlines()]
        kept = [{key: value for key, value in row.items() if key != 'detected_at'} for row in rows]
        sums.append(hashlib.sha256(json.dumps(kept).encode()).hexdigest())
    if sums[0] != sums[1]:
        raise RuntimeError('one and two threads differ in what they find')


def naming(setup, catalog, listings):
    """Share of listings that do not leave at the gate: they name a brand or a model."""
    output, _ = run(setup.touchstone, 'explain', '--catalog', catalog, '--listings', listings)
    rows = [json.loads(line) for line in output.splitlines()]
    return len({row['event_id'] for row in rows if row.get('brand_id')}) / len({row['event_id'] for row in rows})


def measure(setup, page, results):
    """The rows of listings."""
    page.section('Listings')
    real = setup.data / 'listings' / 'listings.jsonl'
    listings = setup.work / 'listings.jsonl'
    count = repeated(real, listings, 4 if setup.short else 12)
    rows, targets = [], []
    for what, brands, bound in [('100 brands', 100, 100_000), ('20,000 names', 20_000, 40_000)]:
        catalog, built = made(setup, brands, 100_000)
        same_answer(setup, catalog, real)
        each, opened = of_processor(setup, catalog, listings, count)
        other = peer(setup.python, 'listings', '--catalog', setup.work / f'catalog-{brands}-100000', '--listings', listings, '--rounds', '3')
        rate = other['listings_per_cpu_second']
        share = naming(setup, catalog, real)
        results[f'listings/{brands}'] = {'microseconds': each, 'per_cpu_second': 1e6 / each, 'peer_per_cpu_second': rate, 'naming': share}
        rows.append([what, f'{each:.1f}', f'{1e6 / each:,.0f}', f'{rate:,.0f}', f'{1e6 / each / rate:.2f}', f'{share:.3f}', f'{built:.1f}', f'{opened:.1f}'])
        targets.append(Target(f'listings a processor second, {what} and 100,000 products', 'at least', bound, 1e6 / each, 0))
    page.text('The labelled listings repeated, one thread, processor time less that of opening the catalog. The peer is a Python program that '
              'names brands by pyahocorasick and compares prices; it retrieves no product and gives no evidence.')
    page.commands(Shown('touchstone scan --threads 1 --catalog $WORK/catalog-100-100000.bin --listings $WORK/listings.jsonl --out /dev/null'),
                  Shown('PYTHONPATH=benches python -m peers.listings --catalog $WORK/catalog-100-100000 --listings $WORK/listings.jsonl'))
    page.targets(*targets)
    page.table(['catalog', 'us a listing', 'a second', 'peer', 'ratio', 'share that names a brand', 'build s', 'open s'], rows)
    growth(setup, page, results, listings, count)


def growth(setup, page, results, listings, count):
    """How the rate falls with the number of products."""
    sizes = [1_000, 10_000, 100_000] if setup.short else [1_000, 10_000, 100_000, 1_000_000]
    curve = []
    for products in sizes:
        catalog, built = made(setup, 100, products)
        each, opened = of_processor(setup, catalog, listings, count)
        curve.append((products, 1e6 / each, built, opened))
    results['growth'] = curve
    page.heading('With more products')
    page.targets(Target(f'listings a second with {sizes[0]:,} products over those with {sizes[-1]:,}', 'under', 2, curve[0][1] / curve[-1][1], 2))
    page.table(['products', 'listings a processor second', 'build s', 'open s'], [[f'{n:,}', f'{rate:,.0f}', f'{b:.1f}', f'{o:.1f}'] for n, rate, b, o in curve])
    setup.plot('throughput', 'Listings a processor second by products in the catalog', [(n, rate) for n, rate, _, _ in curve])


class Shown:
    """A command as a reader would type it."""

    def __init__(self, command):
        self.command = command
