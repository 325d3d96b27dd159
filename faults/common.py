"""What every part of the harness needs: how it speaks, how it waits, and how it says that something went wrong."""

import subprocess
import sys
import time

BEGAN = time.monotonic()


class Trouble(Exception):
    """Something did not go as it must: the run has failed, and the report says why."""


def say(text):
    """Progress, on standard error."""
    print(f'faults {time.monotonic() - BEGAN:7.1f} s  {text}', file=sys.stderr, flush=True)


def wait_for(what, limit, check, step=0.05):
    """Waits until check gives something true, and gives it back."""
    deadline = time.monotonic() + limit
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise Trouble(f'{what}: not within {limit:.0f} s')
        time.sleep(step)


def call(command, limit=120, **more):
    """Runs a command to its end, and gives back what it wrote to standard output and standard error."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run(command, capture_output=True, timeout=limit, check=False, **more)
    except subprocess.TimeoutExpired as late:
        raise Trouble(f'{" ".join(command)}: not done within {limit} s') from late
    if done.returncode:
        words = done.stderr.decode(errors='replace').strip()[-2000:]
        raise Trouble(f'{" ".join(command)} ended with {done.returncode}: {words}')
    return done.stdout, done.stderr


def median(numbers):
    """The middle one, or the mean of the middle two."""
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
