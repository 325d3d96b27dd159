"""One worker: a process of `touchstone run`, its configuration, its log and what it tells of itself."""

import re
import signal
import socket
import time
import urllib.error
import urllib.request

from faults import processes
from faults.common import Trouble, wait_for

# A worker may take 30 s to finish what it has begun, and some to leave.
LAST_DRAIN = 45
# What a worker ends with that cannot go on: by a sentence of its own, or by an assertion of librdkafka, which is no less a crash and is
# counted like one.
FAILED = (1, -signal.SIGABRT)
# With numbers: on the way through a rebalance workers are told of nothing new, too.
ASSIGNED = re.compile(r'partitions are assigned\b.*\[\d')

CONFIGURATION = """[kafka]
brokers = "{brokers}"
topic_prefix = "{prefix}"
group_id = "{group}"
instance = "{name}"
session_timeout_ms = 6000
[catalog]
path = "{catalog}"
[worker]
{worker}
[http]
operations = "{operations}"
service = ""
[topics]
partitions = {partitions}
replication = {replication}
"""


def free_address():
    """An address that nobody listens on now."""
    with socket.socket() as held:
        held.bind(('127.0.0.1', 0))
        return f'127.0.0.1:{held.getsockname()[1]}'


class Worker:
    """A worker by its name, which stays when it is started again."""

    def __init__(self, name, touchstone, folder, settings):
        self.name, self.touchstone = name, touchstone
        self.operations = free_address()
        self.settings = {**settings, 'name': name, 'operations': self.operations}
        self.config, self.log = folder / f'{name}.toml', folder / f'{name}.log'
        self.child = None
        self.configure()

    def configure(self, **changes):
        """Writes the configuration, which counts from the next start on."""
        self.settings.update(changes)
        self.config.write_text(CONFIGURATION.format(**self.settings), encoding='utf-8')

    def start(self, fail_point=None):
        """Starts it, and has it die at a step of its transaction when one is named."""
        environment = {'TOUCHSTONE_FAIL_POINT': fail_point} if fail_point else {}
        self.child = processes.start([self.touchstone, 'run', '--config', self.config], self.log, environment)

    def lives(self):
        """Whether it runs."""
        return self.child is not None and self.child.poll() is None

    def kill(self):
        """Ends it at once, wherever it is; gives back the exit code."""
        return processes.end(self.child)

    def terminate(self):
        """Asks it to finish what it has begun, and holds it to that; gives back the exit code."""
        code = processes.end(self.child, signal.SIGTERM, LAST_DRAIN)
        if code != 0 and code not in FAILED:
            raise Trouble(f'{self.name} ended with {code} when it was asked to end: {self.last_words()}')
        return code

    def written(self):
        """How long its log is: what comes later is told by assigned_since."""
        return self.log.stat().st_size if self.log.exists() else 0

    def text(self, since=0):
        """Its log from a place on."""
        if not self.log.exists():
            return ''
        with open(self.log, 'rb') as log:
            log.seek(since)
            # Colours, where a terminal is taken for granted.
            return re.sub(r'\x1b\[[0-9;]*m', '', log.read().decode(errors='replace'))

    def assigned_since(self, since):
        """How often partitions were assigned since a place of the log."""
        return len(ASSIGNED.findall(self.text(since)))

    def last_words(self):
        """The end of its log, on one line."""
        return ' | '.join(self.text().strip().splitlines()[-3:])[-600:]

    def metrics(self):
        """Its metrics, by name and labels; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f'http://{self.operations}/metrics', timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except (OSError, urllib.error.URLError, ValueError):
            return {}
        return {line.rpartition(' ')[0]: float(line.rpartition(' ')[2]) for line in lines if line and not line.startswith('#')}

    def ready(self):
        """Whether it has its catalog and its place in the group."""
        try:
            with urllib.request.urlopen(f'http://{self.operations}/health/ready', timeout=5) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def wait_ready(self, limit=60):
        """Waits until it is ready."""
        wait_for(f'{self.name} becomes ready', limit, self.ready)

    def memory(self):
        """Bytes of memory that it holds now; none when it is gone."""
        try:
            with open(f'/proc/{self.child.pid}/status', encoding='ascii', errors='replace') as status:
                return next((int(line.split()[1]) * 1024 for line in status if line.startswith('VmRSS')), 0)
        except OSError:
            return 0

    def wait_death(self, limit):
        """Waits until it has ended by itself; gives back the exit code, or nothing."""
        deadline = time.monotonic() + limit
        while self.lives() and time.monotonic() < deadline:
            time.sleep(0.02)
        return None if self.lives() else processes.end(self.child)
