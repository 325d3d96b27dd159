"""Child processes: none of them outlives the harness, whichever way it ends."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading

from faults.common import Trouble

# The kernel ends a child when the harness is killed and cannot do it itself; the child is the program all the same.
_WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL'] if shutil.which('setpriv') else []

_children = set()
_lock = threading.Lock()


def start(command, log, environment=None):
    """Starts a process that writes to a log file; each goes on with the file where the last one left it."""
    with open(log, 'ab') as out:
        child = subprocess.Popen(
            [*_WITH_PARENT, *(str(part) for part in command)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **(environment or {})},
            # Ctrl-C is the harness's own: a worker that hears it as well would seem to have ended by itself.
            start_new_session=True,
        )
    with _lock:
        _children.add(child)
    return child


def end(child, number=signal.SIGKILL, limit=10):
    """Sends a signal and waits for the end; gives back the exit code."""
    if child.poll() is None:
        child.send_signal(number)
    try:
        code = child.wait(limit)
    except subprocess.TimeoutExpired as late:
        child.kill()
        child.wait(limit)
        raise Trouble(f'process {child.pid} did not heed {signal.Signals(number).name} within {limit} s') from late
    finally:
        with _lock:
            _children.discard(child)
    return code


def end_all():
    """Ends whatever still runs."""
    with _lock:
        left = list(_children)
    for child in left:
        try:
            end(child)
        except Trouble as trouble:
            print(trouble, file=sys.stderr)


def alone(path):
    """Makes sure that no other harness uses the same folders; holds as long as what it gives back is open."""
    lock = open(path, 'w', encoding='ascii')  # pylint: disable=consider-using-with
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as held:
        raise Trouble('another harness runs in this checkout') from held
    return lock


def stop_on_signals():
    """Makes a request to end an exception, so that everything is cleared away."""

    def interrupt(_number, _frame):
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, interrupt)
