"""The report: faults.json for machines, RELIABILITY.md for people, both from the same figures."""

import json
import os
import platform
import re

import confluent_kafka

from faults.common import call
from faults.run import NUMBERS
from faults.watch import shown

COLUMNS = ('seconds', *NUMBERS)
RECOVERIES = {
    'restart': 'a worker is killed and started again by the same name, until the group commits again',
    'takeover': 'a worker is killed and stays away, until others have committed in every partition',
    'leave': 'a worker is asked to end and stays away, until others have committed in every partition',
    'broker_return': 'the only broker was away and has come back, until workers have committed in every partition',
    'broker_loss': 'one broker of three is killed, until workers have committed in every partition',
    'topic_deleted': "a brand's topic is deleted, until the worker commits again",
}
COUNTED = """- kills: workers that were running and died, by SIGKILL from outside or by SIGABRT at a fail point.
- rebalances: changes of the group's membership that were made (a worker joined, left, or was killed and stayed away) and then seen
  as "partitions are assigned", with their numbers, in the log of a worker: one change counts once, however many steps the group takes.
- outages: brokers that were killed or paused, and brought back.
- swaps: changes of the catalog while events wait.
- listings: events read back from the listings topic after the run: what `touchstone scan` is given to say what is expected.
- suspects, dead letters: records on `suspects` and `dead-letters`, read with `isolation.level=read_committed` to the end of each partition.
- lost: records that are expected and missing, on `suspects`, `dead-letters` and brands' topics together.
- doubled: records more than the one that is expected, and records that nobody expects.
- changed: records whose bytes are not those of `scan` (but for `detected_at`), or whose key is not the listing's; of suspicions that
  are taken back, which `scan` does not tell, what the event must say by what `scan` finds in one event of a listing and in the next.

A run passes when nothing is lost, doubled or changed, the group's committed offsets are at the end of each listings partition, and
every step was done within its limit. Clean, stale and removed listings leave no record: that they were taken is told by the
offsets, that they were rightly judged by the absence of suspects that `scan` does not find, and in `slow` by the worker's own counts.
Every fourth listing is a suspect (in `slow` every thirtieth), so that a batch that is lost or comes twice cannot go unseen."""


def machine(bench, project):
    """Where it was measured."""
    with open('/proc/cpuinfo', encoding='ascii', errors='replace') as file:
        model = re.search(r'^model name\s*: (.*)$', file.read(), re.MULTILINE)
    version = re.search(r'<kafka.version>(.*)</kafka.version>', (project / 'scripts' / 'kafka.pom.xml').read_text(encoding='utf-8'))
    return {
        'cpu': model[1].strip() if model else platform.machine(),
        'cores': len(os.sched_getaffinity(0)),
        'memory_gib': round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30, 1),
        'system': f'{platform.system()} {platform.release()}',
        'kafka': version[1] if version else '',
        'touchstone': call([bench.touchstone, '--version'])[0].decode().strip(),
        'oracle': f'Python {platform.python_version()}, confluent-kafka {confluent_kafka.version()}',
    }


def assemble(where, command, short, seed, runs, controls):
    """All figures as one."""
    total = {number: sum(run[number] for run in runs) for number in NUMBERS}
    total['seconds'] = round(sum(run['seconds'] for run in runs), 1)
    total['worker_exits'] = sum(len(run['worker_exits']) for run in runs)
    kinds = {}
    for run in runs:
        for kind, seconds in run['recoveries'].items():
            kinds.setdefault(kind, []).extend(seconds)
    total['recovery_seconds'] = shown(kinds)
    rows = [{**run, 'recovery_seconds': shown(run['recoveries'])} for run in runs]
    for row in rows:
        del row['recoveries']
    passed = bool(runs or controls) and all(one['passed'] for one in [*runs, *controls])
    return {
        'machine': where, 'command': command, 'form': 'short' if short else 'long', 'seed': seed, 'passed': passed,
        'runs': rows, 'control': controls, 'total': total,
    }


def _table(heads, rows):
    line = ['| ' + ' | '.join(heads) + ' |', '| ' + ' | '.join(['---', *['---:'] * (len(heads) - 1)]) + ' |']
    return '\n'.join(line + ['| ' + ' | '.join(str(cell) for cell in row) + ' |' for row in rows])


def _number(value):
    return f'{value:,.0f}' if isinstance(value, (int, float)) else str(value)


def _conclusion(figures):
    total, nothing = figures['total'], '**Nothing was lost, doubled or changed'
    if figures['passed']:
        return f'{nothing}.**'
    if total['lost'] or total['doubled'] or total['changed']:
        return f'**{total["lost"]} records were lost, {total["doubled"]} doubled, {total["changed"]} changed: see below.**'
    return f'{nothing}, but not everything passed: see below.**'


def markdown(figures, runs):
    """The page."""
    heads = ['run', *(name.replace('_', ' ') for name in COLUMNS), 'passed']
    rows = [[run['name'], *(_number(run[name]) for name in COLUMNS), 'yes' if run['passed'] else '**no**'] for run in figures['runs']]
    total = figures['total']
    rows.append(['**total**', *(_number(total[name]) for name in COLUMNS), ''])
    recoveries = [
        [RECOVERIES.get(kind, kind), one['count'], f'{one["median"]:.2f}', f'{one["worst"]:.2f}']
        for kind, one in total['recovery_seconds'].items()
    ]
    controls = [
        [one['name'], one['kills'], one.get('listings', '–'), one['expected'], one.get('lost', '–'), one.get('doubled', '–'),
         'yes' if one['passed'] else '**no**']
        for one in figures['control']
    ]
    where = figures['machine']
    parts = [
        '# Reliability',
        f'Written by `{figures["command"]}` ({figures["form"]} form, seed {figures["seed"]}), which breaks workers and brokers of a real '
        f'Kafka {where["kafka"]} while listings flow, and then holds every record to what `touchstone scan` makes of the same listings. '
        + _conclusion(figures),
        f'Machine: {where["cpu"]}, {where["cores"]} cores, {where["memory_gib"]} GiB, {where["system"]}; the brokers, the workers and the '
        f'harness share it. {where["touchstone"]}; {where["oracle"]}.',
        '## What was done',
        '\n'.join(f'- `{run.name}`: {run.what}.' for run in runs if any(row['name'] == run.name for row in figures['runs'])),
        _table(heads, rows),
        f'Workers that could not go on ended themselves {total["worker_exits"]} times and were started again, as a supervisor does.',
        *[f'`{run["name"]}`: {note}.' for run in figures['runs'] for note in run['notes']],
        '## Recovery', 'Seconds, listings waiting all the while.',
        _table(['from', 'times', 'median', 'worst'], recoveries),
        '## Negative control',
        'Workers that are wrong on purpose: `early` commits offsets before it writes suspects, `late` the other way round, both without '
        'a transaction. The oracle must find what is lost and what is doubled, and nothing where the control is left alone.',
        _table(['control', 'kills', 'listings', 'must find', 'lost', 'doubled', 'as it must'], controls),
        '## How it is counted', COUNTED,
    ]
    failures = [f'- `{one["name"]}`: {problem}' for one in [*figures['runs'], *figures['control']] for problem in one['problems']]
    if failures:
        parts[3:3] = ['## What failed', '\n'.join(failures)]
    return '\n\n'.join(parts) + '\n'


def write(folder, figures, runs):
    """Both files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'faults.json').write_text(json.dumps(figures, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
    (folder / 'RELIABILITY.md').write_text(markdown(figures, runs), encoding='utf-8')
