"""Pictures: how many a core hashes in a second, beside what Python programs use, and exact search of the hashes."""

from quality.page import Target
from speed.listings import Shown
from speed.tools import criterion, peer

SETS = ['800', '1500', 'progressive', 'webp', 'png']
PHOTOS = 48


def hashing(setup, page, results):
    """From bytes to the hash, and to what a catalog keeps."""
    page.section('Pictures')
    photos = setup.work / 'photos'
    peer(setup.python, 'photos', '--photos', setup.data / 'photos', '--out', photos, '--count', PHOTOS)
    # The answer first: every photo's plane is that of libjpeg-turbo.
    blocks = setup.work / 'blocks.txt'
    criterion('pictures', 'pictures/', TOUCHSTONE_PHOTOS=setup.data / 'photos', TOUCHSTONE_BLOCKS=blocks)
    equal = peer(setup.python, 'blocks', '--folder', setup.data / 'photos', '--blocks', blocks)
    seconds = criterion('pictures', 'pictures/', TOUCHSTONE_PHOTOS=photos)
    rows, rates = [], {}
    for name in SETS:
        others = peer(setup.python, 'pictures', '--folder', photos / name, '--rounds', '3')['peers']
        rate = PHOTOS / seconds[f'pictures/hash/{name}']
        rates[name] = rate, {other: value['pictures_per_cpu_second'] for other, value in others.items()}
        best = rates[name][1].get('opencv') or rates[name][1]['opencv_full']
        rows.append([name, f'{rate:,.0f}', *[f'{rates[name][1][o]:,.0f}' if o in rates[name][1] else '-' for o in
                     ('opencv', 'opencv_full', 'pillow_draft_imagehash', 'pillow_imagehash', 'pdq')], f'{rate / best:.2f}'])
    keep = 1000 * seconds['pictures/row/800'] / PHOTOS
    results['pictures'] = {name: {'per_second': rate, 'peers': others} for name, (rate, others) in rates.items()} | {'row_ms': keep}
    page.text(f'{PHOTOS} photos, one core. Ours are 192 bits of 16 views (all eight turns, and the halves), with borders trimmed, colours and the '
              f"quality gate; the peers make one hash of one view. `opencv` decodes at an eighth, and so compares with ours best. Of {equal['pictures']} photos "
              f"the planes of {equal['equal']} equal libjpeg-turbo's to the byte, {equal['left']} were left to the library.")
    page.commands(Shown('TOUCHSTONE_PHOTOS=$WORK/photos cargo bench -p touchstone-benches --bench pictures'),
                  Shown('PYTHONPATH=benches python -m peers.pictures --folder $WORK/photos/800'))
    eight, progressive = rates['800'], rates['progressive']
    page.targets(
        Target('800 px JPEG to the hash, pictures a second and core', 'at least', 2000, eight[0], 0),
        Target('the same over OpenCV at an eighth with pHash', 'at least', 1.6, eight[0] / eight[1]['opencv'], 2),
        Target('progressive over OpenCV', 'at least', 10, progressive[0] / progressive[1]['opencv'], 2),
        Target('decode and keypoints of 800 px, ms', 'at most', 4, keep, 1),
        Target('WebP over the `image` crate (84 a second)', 'at least', 2, rates['webp'][0] / 84, 2),
        Target('PNG over the `image` crate (165 a second)', 'at least', 1, rates['png'][0] / 165, 2),
    )
    page.table(['set', 'ours', 'OpenCV 1/8', 'OpenCV', 'Pillow draft', 'Pillow', 'PDQ', 'ours over OpenCV'], rows)


def searching(setup, page, results):
    """Exact search of 192 bits."""
    page.section('Search')
    count = 1_000_000 if setup.short else 10_000_000
    references, queries = setup.work / 'references', setup.work / 'queries'
    peer(setup.python, 'search', '--make', references, '--count', count, '--bits', '192', '--seed', '1')
    peer(setup.python, 'search', '--queries-of', references, '--out', queries, '--count', '10000', '--bits', '192', '--flip', '24')
    seconds = criterion('search', f'search/{count}', TOUCHSTONE_REFERENCES=references, TOUCHSTONE_QUERIES=queries)
    rates = {radius: 2048 / seconds[f'search/{count}/{radius}'] for radius in (8, 16, 20, 24)}
    results['search'] = {'references': count, 'per_second': rates}
    page.text(f'{count:,} references, one core, half of the queries miss. What the tables find is asserted to be what a scan finds. '
              'Each reference takes 24 bytes for its hash and some 86 in eight tables.')
    page.commands(Shown('TOUCHSTONE_REFERENCES=$WORK/references TOUCHSTONE_QUERIES=$WORK/queries cargo bench -p touchstone-benches --bench search'))
    page.targets(Target('queries a second at radius 16', 'at least', 12_000, rates[16], 0), Target('at radius 24', 'at least', 2_200, rates[24], 0))
    page.table(['radius', 'queries a second', 'pictures of 16 views a second'], [[r, f'{q:,.0f}', f'{q / 16:,.0f}'] for r, q in rates.items()])
    setup.plot('search', f'Queries a second by radius, {count:,} references', list(rates.items()), logarithmic=False)
    other = peer(setup.python, 'search', '--references', references, '--queries', queries, '--bits', '192', '--radius', '24', '--rounds', '3')
    results['search']['faiss'] = other
    page.table(['peer at radius 24', 'queries a processor second', 'recall', 'bytes a reference'], peers(other))


def peers(report):
    """The rates of faiss' indexes: a scan, and multi-index hashing in its settings."""
    flat, multihash = report['flat'], report['multihash']
    rows = [['faiss IndexBinaryFlat', f"{flat['queries_per_cpu_second']:,.0f}", '1', f"{flat['bytes_a_reference']:.0f}"]]
    for setting in multihash['settings']:
        name = f"faiss IndexBinaryMultiHash, {setting['flips']} flips"
        rows.append([name, f"{setting['queries_per_cpu_second']:,.0f}", f"{setting['recall']:.3f}", f"{multihash['bytes_a_reference']:.0f}"])
    return rows
