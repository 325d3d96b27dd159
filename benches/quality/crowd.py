"""Many more references: a catalog in use has thousands of pictures, and what is found among a few must be found among them."""

import json
import random

from PIL import Image, ImageEnhance, ImageOps

from . import pdq
from .bench import read, write

SIDE = 300
SEED = 20261125
# A photo this near to one of the bench's pictures is one of them: the same photo saved again is within 10 or so.
SAME = 40


def strangers(photos, taken):
    """Photos that the bench shows nowhere: a reference made of one that it shows would be found rightly."""
    bank = pdq.Bank([('bench', pdq.upright(path)) for path in taken])
    paths = sorted(path for path in photos.iterdir() if path.suffix.lower() in ('.jpg', '.jpeg', '.png'))
    return [path for path in paths if not bank.within(pdq.upright(path), SAME)]


def small(path):
    """A photo at twice the side of what is made of it, so that a crop stays sharp."""
    with Image.open(path) as photo:
        photo = photo.convert('RGB')
        photo.thumbnail((2 * SIDE, 2 * SIDE))
        return photo


def part(photo, chance):
    """A crop of a photo, half of them mirrored, lighter or darker."""
    width, height = photo.size
    w, h = (int(side * chance.uniform(0.5, 0.95)) for side in (width, height))
    left, top = chance.randint(0, width - w), chance.randint(0, height - h)
    photo = photo.crop((left, top, left + w, top + h))
    if chance.random() < 0.5:
        photo = ImageOps.mirror(photo)
    return ImageEnhance.Brightness(photo).enhance(chance.uniform(0.7, 1.3))


def recombined(photos, chance):
    """A new picture out of one photo, or out of two beside or over each other."""
    if chance.random() < 0.5:
        picture = part(chance.choice(photos), chance)
        picture.thumbnail((SIDE, SIDE))
        return picture
    pair = [part(photo, chance) for photo in chance.sample(photos, 2)]
    picture = Image.new('RGB', (SIDE, SIDE))
    if chance.random() < 0.5:
        size, places = (SIDE // 2, SIDE), [(0, 0), (SIDE // 2, 0)]
    else:
        size, places = (SIDE, SIDE // 2), [(0, 0), (0, SIDE // 2)]
    for photo, place in zip(pair, places):
        picture.paste(ImageOps.fit(photo, size), place)
    return picture


def join(catalog, photos, taken, count):
    """Adds pictures of another brand to a catalog folder, and says of how many photos they are made."""
    free = [small(path) for path in strangers(photos, taken)]
    if len(free) < 2:
        raise RuntimeError('the bench shows every photo: none is left to make more references of')
    chance = random.Random(SEED)
    (catalog / 'images' / 'crowd').mkdir(parents=True, exist_ok=True)
    products = read(catalog / 'products.jsonl')
    for place in range(count):
        key = f'{place:05d}'
        path = f'images/crowd/{key}.jpg'
        recombined(free, chance).save(catalog / path, quality=80)
        products.append({'product_id': f'crowd:{key}', 'brand_id': 'crowd', 'name': f'Crowd {key}', 'images': [{'path': path}]})
    write(catalog / 'products.jsonl', products)
    with open(catalog / 'brands.jsonl', 'a', encoding='utf-8') as brands:
        brands.write(json.dumps({'brand_id': 'crowd', 'name': 'Crowd Reference Brand', 'aliases': [], 'ambiguous': False}) + '\n')
    return len(free)
