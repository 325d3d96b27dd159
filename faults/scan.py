"""What `touchstone scan` makes of a file of listings: the measure that the worker is held to."""

import json
import re
from dataclasses import dataclass

from faults.common import Trouble, call

LIMIT = 900


@dataclass
class Scan:
    """Where the results of a scan are, and how many listings ended in which way."""

    suspects: object
    dead_letters: object
    outcomes: dict


def authorised(touchstone, catalog, listings, folder, name):
    """Pairs of event_id and brand of which the seller is authorised, whatever the score."""
    told = folder / f'{name}.explained.jsonl'
    call([touchstone, 'explain', '--catalog', catalog, '--listings', listings, '--out', told], LIMIT)
    return {
        (row['event_id'], row['brand_id']) for _, row in lines(told)
        if any(evidence['kind'] == 'authorised' for evidence in row['evidence'])
    }


def scan(touchstone, catalog, listings, folder, name):
    """Scans a file; results go to files in a folder."""
    suspects, dead = folder / f'{name}.suspects.jsonl', folder / f'{name}.dead.jsonl'
    command = [touchstone, 'scan', '--catalog', catalog, '--listings', listings, '--out', suspects, '--dead-letters', dead]
    _, words = call(command, LIMIT)
    found = re.search(r'^outcomes +(.*)$', words.decode(errors='replace'), re.MULTILINE)
    if not found:
        raise Trouble('scan does not tell the outcomes')
    outcomes = {}
    for part in filter(None, found[1].split(', ')):
        count, _, outcome = part.strip().partition(' ')
        outcomes[outcome] = int(count.replace(',', ''))
    return Scan(suspects, dead, outcomes)


def lines(path):
    """The rows of a result with their bytes."""
    with open(path, 'rb') as file:
        for line in file:
            line = line.rstrip(b'\n')
            yield line, json.loads(line)
