"""A Kafka of the harness's own, so that its outages are nobody else's: scripts/kafka, run from a folder of its own."""

import re
import shutil
import subprocess

from faults.common import Trouble, call, say

# A first start fetches Kafka.
START = 600
FAULT = 120


class Brokers:
    """Brokers that are started, killed, paused and brought back."""

    def __init__(self, scripts, folder):
        # scripts/kafka names its brokers by the folder that it stands in.
        folder.mkdir(parents=True)
        for name in ('kafka', 'kafka.pom.xml'):
            shutil.copy(scripts / name, folder / name)
        self.script = folder / 'kafka'
        self.count = 0
        self.addresses = ''

    def start(self, count):
        """Has so many brokers; those that run stay where the number is right."""
        if count == self.count:
            return
        self.stop()
        exports, _ = call([self.script, 'start', '--brokers', count], START)
        found = re.search(r'TOUCHSTONE_TEST_KAFKA=(\S+)', exports.decode())
        if not found:
            raise Trouble('scripts/kafka start tells no address')
        self.count, self.addresses = count, found[1]
        say(f'{count} broker{"s" if count > 1 else ""} at {self.addresses}')

    def fault(self, verb, *numbers):
        """Does kill, pause, resume or restart to brokers."""
        call([self.script, verb, *numbers], FAULT)

    def heal(self):
        """Brings back what a run that failed has left dead or paused."""
        self.fault('resume', *range(1, self.count + 1))
        status = subprocess.run([self.script, 'status'], capture_output=True, timeout=FAULT, check=False).stdout.decode()
        dead = re.findall(r'^broker (\d): .* dead$', status, re.MULTILINE)
        if dead:
            self.fault('restart', *dead)

    def stop(self):
        """Ends them and removes their data, also those that a harness left which was killed."""
        self.count = 0
        call([self.script, 'stop'], FAULT)
