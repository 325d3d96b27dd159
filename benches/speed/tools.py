"""How programs are run and timed: processor time, medians, and how a reader would type it."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from quality.bench import processor_time

ROOT = Path(__file__).resolve().parent.parent.parent


def say(text):
    """Progress is for whoever waits; the report is read later."""
    print(text, file=sys.stderr, flush=True)


def run(*words, **environment):
    """Runs a program; stops everything where it fails. Gives its output and its processor time."""
    words = [str(word) for word in words]
    say('  ' + ' '.join(words))
    before = processor_time()
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **{k: str(v) for k, v in environment.items()}})
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr[-2000:]}")
    return done.stdout, processor_time() - before


def median_of(rounds, work):
    """The median of what some work measures."""
    return statistics.median(work() for _ in range(rounds))


def peer(python, name, *words):
    """What a peer reports."""
    output, _ = run(python, '-m', f'peers.{name}', *words, PYTHONPATH=ROOT / 'benches')
    return json.loads(output)


def criterion(bench, pattern, **environment):
    """Runs some of a bench's functions and gives the median seconds of each, by group and name."""
    run('cargo', 'bench', '--quiet', '-p', 'touchstone-benches', '--bench', bench, '--', pattern, **environment)
    found = {}
    for file in (ROOT / 'target' / 'criterion').glob('*/*/new/benchmark.json'):
        about = json.loads(file.read_text())
        estimates = json.loads((file.parent / 'estimates.json').read_text())
        found[f"{about['group_id']}/{about['function_id']}"] = estimates['median']['point_estimate'] / 1e9
    return found
