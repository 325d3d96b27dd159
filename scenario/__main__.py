"""A quarter of three marketplaces and twelve brands on a real Kafka, and a model that says what must come of it.

The play (play.py) feeds listings to the scanning worker and lets brands, agents, moderators, sellers and the platform answer; the
times of its events are those of the quarter, and nothing waits for them. What the deciding worker writes is held, record by record,
to a model (model.py, standing.py, cases.py) that was made from docs/life.md alone. The deciding worker is killed twice meanwhile.

`scripts/scenario` prepares what this needs and starts it. It writes scenario.json, and ends with 1 when anything differs. The logs
of the workers are in target/scenario/work.
"""

import argparse
import json
import random
import shutil
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from confluent_kafka import KafkaException

from faults import processes
from faults.brokers import Brokers
from faults.common import Trouble, call, say
from scenario import world
from scenario.compare import Comparison
from scenario.desk import Decider, Desk, RoleWorker
from scenario.quarter import Quarter
from scenario.times import Calendars

PROJECT = Path(__file__).resolve().parent.parent
CALENDARS = PROJECT / 'decisions' / 'defaults' / 'calendars.jsonl'
PARTITIONS = 4
PREFIX, GROUP = 'scenario.', 'scenario'
SHORT, LONG = 3000, 30_000
KILLS = 2
# One that ends again and again does not work at all.
MOST_EXITS = 5
DEFAULT_SEED = 7


def arguments():
    """What was asked for."""
    parser = argparse.ArgumentParser(prog='scripts/scenario', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--short', action='store_true', help=f'{SHORT:,} listings, within 4 minutes; else {LONG:,}')
    parser.add_argument('--touchstone', type=Path, default=PROJECT / 'target' / 'release' / 'touchstone', help='the program, ready built')
    parser.add_argument('--out', type=Path, default=PROJECT / 'scenario.json', help='the file of results')
    parser.add_argument('--seed', type=int, default=DEFAULT_SEED, help=f'of all chance (default: {DEFAULT_SEED})')
    asked = parser.parse_args()
    for path in (asked.touchstone, CALENDARS):
        if not path.exists():
            parser.error(f'there is no {path}')
    asked.touchstone = asked.touchstone.resolve()
    return asked


class Killer:
    """Kills the deciding worker in the middle of stages that chance chooses; starts whichever worker has ended."""

    def __init__(self, workers, seed):
        self.workers, self.chance, self.kills, self.exits = workers, random.Random(f'{seed} kills'), 0, []
        # Stages take a few seconds each; the middle of the play is far from both ends.
        self.waits = [self.chance.randrange(12, 22), self.chance.randrange(26, 36)][:KILLS]
        self.stages, self.at = 0, None

    def begin(self):
        """A stage begins."""
        self.stages += 1
        self.at = time.monotonic() + self.chance.uniform(0.0, 0.6) if self.stages in self.waits else None

    def look(self):
        """Called again and again while a stage goes on."""
        if self.at is not None and time.monotonic() >= self.at:
            self.at = None
            self.workers[-1].kill()
            self.kills += 1
            say(f'  killed the deciding worker, {self.kills} of {KILLS}')
            self.workers[-1].start()
        for worker in self.workers:
            if not worker.lives():
                # Workers may end themselves when they cannot go on, as long as they are started again.
                self.exits.append(f'{worker.name}: {worker.last_words()}')
                say(f'  ended by itself: {self.exits[-1][:300]}')
                if len(self.exits) > MOST_EXITS:
                    raise Trouble(f'workers ended by themselves {len(self.exits)} times, last {self.exits[-1]}')
                time.sleep(1)
                worker.start()


def perform(asked, work, comparison):
    """Plays; gives back the counts."""
    listings = SHORT if asked.short else LONG
    policy = world.policy(PARTITIONS, max(1, listings // SHORT))
    world.write(work / 'catalog', policy)
    call([asked.touchstone, 'catalog', 'check', work / 'catalog'])
    brokers = Brokers(PROJECT / 'scripts', work / 'kafka')
    workers, desk = [], None
    try:
        brokers.start(1)
        settings = {'brokers': brokers.addresses, 'prefix': PREFIX, 'group': GROUP, 'catalog': work / 'catalog', 'worker': '',
                    'partitions': PARTITIONS, 'replication': 1}
        workers = [RoleWorker('scan', asked.touchstone, work, settings), Decider('decide', asked.touchstone, work, settings)]
        call([asked.touchstone, 'topics', 'create', '--config', workers[0].config])
        desk = Desk(brokers.addresses, PREFIX, GROUP)
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.wait_ready()
        killer = Killer(workers, asked.seed)
        play = Quarter(desk, comparison, policy, world.facts(), Calendars.read(CALENDARS), asked.seed, listings, PARTITIONS)
        play.before, play.meanwhile = killer.begin, killer.look
        play.quarter()
        comparison.check('killed', killer.kills == KILLS, f'{killer.kills} kills')
        return {**play.figures(), 'kills': killer.kills, 'worker_exits': len(killer.exits)}
    finally:
        if desk:
            desk.close()
        for worker in workers:
            if worker.lives():
                worker.kill()
        brokers.stop()


def main():
    """Prepares, plays, writes what came of it."""
    asked = arguments()
    processes.stop_on_signals()
    folder = PROJECT / 'target' / 'scenario'
    folder.mkdir(parents=True, exist_ok=True)
    work = folder / 'work'
    began, comparison, counts = time.monotonic(), Comparison(), {}
    with processes.alone(folder / 'lock'):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            counts = perform(asked, work, comparison)
        except (Trouble, KafkaException, OSError, KeyboardInterrupt) as trouble:
            comparison.check('played_to_the_end', False, str(trouble) or type(trouble).__name__)
        except Exception:  # pylint: disable=broad-exception-caught
            # A record of another shape than the contract's is a problem like any other.
            say(traceback.format_exc())
            comparison.check('played_to_the_end', False, traceback.format_exc().strip().splitlines()[-1])
        finally:
            processes.end_all()
    passed = not comparison.failed and bool(counts)
    checks = [{'name': name, 'checked': count, 'failed': comparison.failed[name]} for name, count in sorted(comparison.done.items())]
    result = {'seed': asked.seed, 'form': 'short' if asked.short else 'long', 'passed': passed, 'counts': counts, 'checks': checks,
              'problems': comparison.problems}
    asked.out.write_text(json.dumps(result, indent=2) + '\n', encoding='utf-8')
    failed = Counter(comparison.failed)
    say(f'{sum(comparison.done.values()):,} checks, {sum(failed.values()):,} failed {dict(failed)}, {time.monotonic() - began:.0f} s')
    say(f'{"passed" if passed else "FAILED"}: see {asked.out}')
    return 0 if passed else 1


if __name__ == '__main__':
    sys.exit(main())
