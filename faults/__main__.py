"""Fault injection: breaks workers and brokers of a real Kafka while listings flow, and proves that nothing is lost or doubled.

A run (runs/) feeds listings, breaks something, lets the workers finish, and checks. The check (check.py, oracle.py) reads the
listings back from their topic, has `touchstone scan` say what must come of them, and compares that record by record with what
stands on the output topics. A negative control (runs/negative.py) shows that the check would see a fault.

`scripts/faults` prepares what this needs and starts it. It writes faults.json and RELIABILITY.md, and ends with 1 when anything is
lost, doubled or changed, when a run did not come to its end, or when a control was not found out. The short form does each kind of
fault once or a few times; the long form is the proof. What a failed run leaves is in target/faults/work.
"""

import argparse
import random
import shlex
import sys
import traceback
from pathlib import Path

from faults import processes, report
from faults.bench import Bench
from faults.common import Trouble, say
from faults.runs import RUNS
from faults.runs.negative import controls

PROJECT = Path(__file__).resolve().parent.parent
CONTROL = 'control'


def data_folder():
    """Real listings where there are some beside the project, else the examples."""
    beside = PROJECT.parent / 'shared' / 'data' / 'listings'
    return beside if beside.exists() else PROJECT / 'examples'


def arguments():
    """What was asked for."""
    names = [run.name for run in RUNS] + [CONTROL]
    parser = argparse.ArgumentParser(prog='scripts/faults', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--short', action='store_true', help='each kind of fault once or a few times, within 6 minutes')
    parser.add_argument('--data', type=Path, default=data_folder(), help='folder with listings.jsonl and catalog/')
    parser.add_argument('--touchstone', type=Path, default=PROJECT / 'target' / 'release' / 'touchstone', help='the program, ready built')
    parser.add_argument('--out', type=Path, default=PROJECT, help='where faults.json and RELIABILITY.md go (default: the project)')
    parser.add_argument('--seed', type=int, help='makes chance the same again (default: another each time; the report tells it)')
    parser.add_argument('--only', nargs='+', metavar='NAME', choices=names, default=names, help=f'of {", ".join(names)}')
    parser.add_argument('--no-stale', action='store_true', help='no stale revisions among the listings')
    parser.add_argument('--soak', type=float, default=600, metavar='SECONDS', help='how long `slow` takes in the long form')
    parser.add_argument('--memory', type=float, default=2, metavar='GIB', help='what a worker may hold in `slow`')
    asked = parser.parse_args()
    for path in (asked.data / 'listings.jsonl', asked.data / 'catalog', asked.touchstone):
        if not path.exists():
            parser.error(f'there is no {path}')
    asked.touchstone, asked.data = asked.touchstone.resolve(), asked.data.resolve()
    if asked.seed is None:
        asked.seed = random.SystemRandom().randrange(1 << 31)
    return asked


def crashed(name):
    """A result for what the harness itself could not do."""
    say(traceback.format_exc())
    words = traceback.format_exc().strip().splitlines()[-1]
    numbers = dict.fromkeys(report.NUMBERS, 0)
    return {'name': name, 'seconds': 0, **numbers, 'outcomes': {}, 'worker_exits': [], 'recoveries': {}, 'notes': [], 'problems': [words],
            'passed': False}


def perform(bench, asked, done, checked):
    """Does the runs that were asked for, whatever becomes of each."""
    if CONTROL in asked.only:
        for control in controls(bench):
            checked.append(control.execute())
    for run in RUNS:
        if run.name in asked.only:
            try:
                done.append(run(bench).execute())
            except Exception:  # pylint: disable=broad-exception-caught
                # The others still count, and so does the report.
                done.append(crashed(run.name))


def main():
    """Prepares, performs, reports."""
    asked = arguments()
    processes.stop_on_signals()
    say(f'seed {asked.seed}')
    done, checked, bench = [], [], None
    try:
        bench = Bench(PROJECT, asked.touchstone, asked.data, asked.seed, asked.short, not asked.no_stale, asked.soak,
                      int(asked.memory * 2**30))
        perform(bench, asked, done, checked)
    except KeyboardInterrupt:
        say('interrupted')
        done.append({**crashed('interrupted'), 'problems': ['interrupted']})
    finally:
        processes.end_all()
        if bench:
            command = shlex.join(['scripts/faults', *sys.argv[1:]])
            where = report.machine(bench, PROJECT)
            figures = report.assemble(where, command, asked.short, asked.seed, done, checked)
            report.write(asked.out, figures, RUNS)
            bench.close()
    total = figures['total']
    say(', '.join(f'{total[name]:,} {name}' for name in report.NUMBERS))
    say(f'{"passed" if figures["passed"] else "FAILED"}: see {asked.out / "RELIABILITY.md"}')
    return 0 if figures['passed'] else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (Trouble, OSError) as failure:
        sys.exit(f'faults: {failure}')
