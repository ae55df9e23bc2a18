"""Evaluations that are held while they score, so that what is to stop them comes in time for certain."""
import os
import subprocess
import time

from failing_calls import failing
from program import MPIRUN, MPIRUN_FLAGS, PROGRAM


class HeldEvaluation:
    """`chainrule ARGUMENTS`, each of whose records takes a third of a second to be written to the journal, but for the
    first. It is left with `end`, whatever happens. more: rules of other calls that fail."""

    def __init__(self, arguments, journal, ranks=None, more=()):
        self.journal = journal
        self.size = self.journal_size()
        command = [PROGRAM, *map(str, arguments)]
        if ranks is not None:
            command = [MPIRUN, *MPIRUN_FLAGS, "-n", str(ranks), *command]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env={**os.environ, **failing(f"write:{journal.name}$:PAUSE:after=2", *more)})

    def journal_size(self):
        try:
            return self.journal.stat().st_size
        except FileNotFoundError:
            return 0

    def wait_for_a_record(self):
        """Returns when the journal holds more than at the start."""
        header = self.size  # of a journal that was there; a new one begins with a header, which is no record
        while self.process.poll() is None:
            size = self.journal_size()
            header = header or size
            if size > header:
                return
            time.sleep(0.005)
        raise AssertionError(f"it ended before it was to be stopped, and said:\n{self.end()[1]}")

    def end(self):
        """Waits; returns the exit code and what was said."""
        said = self.process.communicate(timeout=60)[1].decode()
        return self.process.returncode, said


def stop_while_scoring(arguments, journal, *signals, ranks=None):
    """Sends the signals, more than a second between them, once a unit is in the journal; returns exit code and what was
    said."""
    held = HeldEvaluation(arguments, journal, ranks)
    held.wait_for_a_record()
    for number, each in enumerate(signals):
        time.sleep(1.2 if number else 0)
        held.process.send_signal(each)
    return held.end()
