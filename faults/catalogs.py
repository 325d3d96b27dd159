"""Catalogs made from a catalog folder: with topics of their own for some brands, or with one brand less."""

import json
import shutil


def _rows(path):
    with open(path, encoding='utf-8') as lines:
        return [json.loads(line) for line in lines if line.strip()]


def _write(path, rows):
    path.write_text(''.join(json.dumps(row, ensure_ascii=False) + '\n' for row in rows), encoding='utf-8')


def with_own_topics(source, target, brands):
    """A copy in which these brands, and no others, have topics of their own."""
    shutil.copytree(source, target)
    rows = _rows(target / 'brands.jsonl')
    for row in rows:
        row['own_topic'] = row['brand_id'] in brands
    _write(target / 'brands.jsonl', rows)
    return target


def without_brand(source, target, brand):
    """A copy without a brand and everything that names it."""
    shutil.copytree(source, target)
    for path in sorted(target.glob('*.jsonl')):
        rows = [row for row in _rows(path) if row.get('brand_id') != brand]
        for row in rows:
            for agent in row.get('agents', []):
                agent['brands'] = [name for name in agent.get('brands', []) if name != brand]
        _write(path, rows)
    return target
