"""What is measured, with which tools, and how they are run."""

import json
import resource
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Run:
    """A command that has been run: what it wrote to standard output, its processor time, and how a reader would type it.

    Processor time, and not the clock's: what else the machine does must not change a figure. On one thread of an idle machine they agree.
    """

    output: str
    seconds: float
    command: str


class Bench:
    """The data, the tools and a folder for what is made on the way."""

    def __init__(self, data, maker, touchstone, tricks, work, threads):
        self.data = Path(data)
        self.maker = Path(maker)
        self.work = Path(work)
        self.threads = threads
        self.tools = {'touchstone': str(touchstone), 'tricks': str(tricks), 'python3': sys.executable}
        self.kept = {}
        self.said = None

    @property
    def listings(self):
        """The folder of labelled listings."""
        return self.data / 'listings'

    @property
    def catalog(self):
        """The catalog of the brands that labelled listings name."""
        return self.listings / 'catalog'

    def say(self, text):
        """Progress is for whoever waits; the report is read later."""
        print(text, file=sys.stderr, flush=True)

    def run(self, tool, *words):
        """Runs a tool and stops everything where it fails: half a report would be read as a whole one."""
        words = [str(word) for word in words]
        command = self.shown(tool, words)
        if command != self.said:
            self.say(f'  {command}')
        self.said = command
        start = processor_time()
        done = subprocess.run([self.tools[tool], *words], capture_output=True, text=True)
        seconds = processor_time() - start
        if done.returncode != 0:
            raise RuntimeError(f'{command}\nended with {done.returncode}:\n{done.stderr[-2000:]}')
        return Run(done.stdout, seconds, command)

    def touchstone(self, command, *words, threads=None):
        """Runs a command of touchstone on one thread where time is measured, else on as many as were asked for."""
        threads = threads or self.threads
        return self.run('touchstone', command, *words, *(['--threads', threads] if threads else []))

    def shown(self, tool, words):
        """The command as the report prints it: folders differ from machine to machine, so they go by the names the report gives them."""
        named = [(str(self.maker), '$MAKER'), (str(self.work), '$WORK'), (str(self.data), '$DATA')]

        def name(word):
            for path, variable in named:
                if word == path or word.startswith(path + '/'):
                    return variable + word[len(path):]
            return shlex.quote(word)

        return ' '.join([tool, *map(name, words)])

    def once(self, key, make):
        """What several sections need is made by the first of them."""
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def fit(self, name):
        """Figures of a fit to a file of labelled listings, and its run."""
        def make():
            run = self.touchstone('fit', '--catalog', self.catalog, '--listings', self.listings / name,
                                  '--labels', self.listings / 'labels.jsonl', '--json', '-o', self.work / 'policy.toml')
            return json.loads(run.output), run

        return self.once(('fit', name), make)

    def evaluate(self, name):
        """Figures of the shipped policy on a file of labelled listings, and its run."""
        return self.once(('eval', name), lambda: self.evaluate_file(self.listings / name, self.listings / 'labels.jsonl'))

    def evaluate_file(self, listings, labels):
        """Figures of the shipped policy on any listings whose brands are those of the catalog, and the run."""
        run = self.touchstone('eval', '--catalog', self.catalog, '--listings', listings, '--labels', labels, '--json')
        return json.loads(run.output), run

    def explain(self, listings):
        """Rows of `explain` under the shipped policy, one for each brand that a listing touches, and the run."""
        out = self.work / 'explained.jsonl'
        run = self.touchstone('explain', '--catalog', self.catalog, '--listings', listings, '--out', out)
        return read(out), run


def processor_time():
    """Seconds that all commands run so far have computed."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read(path):
    """Rows of a file of JSON lines."""
    with open(path, encoding='utf-8') as lines:
        return [json.loads(line) for line in lines if line.strip()]


def write(path, rows):
    """Writes a file of JSON lines."""
    with open(path, 'w', encoding='utf-8') as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + '\n' for row in rows)


def at(figures, band):
    """The figures of `eval` at a band and above."""
    return next(row for row in figures['bands'] if row['band'] == band)
