"""A rank that is slower than the others is named, with its host."""
import os
import pathlib
import signal
import socket
import threading
import time
import unittest

from pretraining import PretrainTest


def pid_of_rank(rank, launcher):
    """The process of a rank that a launcher has started, by its environment."""
    wanted = f"OMPI_COMM_WORLD_RANK={rank}".encode()
    for folder in pathlib.Path("/proc").iterdir():
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1] if folder.name.isdigit() else ""
            if parent == str(launcher) and wanted in (folder / "environ").read_bytes().split(b"\0"):
                return int(folder.name)
        except OSError:
            pass  # it has ended meanwhile
    return None


class Pulses:
    """Stops a process for most of the time, in pulses far shorter than what is measured."""

    def __init__(self, pid):
        self.pid, self.done = pid, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            while not self.done.is_set():
                os.kill(self.pid, signal.SIGSTOP)
                time.sleep(0.03)
                os.kill(self.pid, signal.SIGCONT)
                time.sleep(0.01)
        except ProcessLookupError:
            pass

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        try:
            os.kill(self.pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


class SlowRank(PretrainTest):
    def test_a_rank_that_is_held_up_is_named(self):
        process = self.start("--micro-batch", 8, "--global-batch", 64, "--schedule", "constant", "--warmup-steps", 0,
                             "--checkpoint-every", 0, ranks=2, steps=1_000_000)
        in_vain = threading.Timer(60, process.terminate)  # then the line is missed rather than waited for
        in_vain.start()
        self.addCleanup(in_vain.cancel)
        self.wait_for_line(process, "step 2/")
        with Pulses(pid_of_rank(1, process.pid)):
            said = self.wait_for_line(process, "rank 1 on")
        self.assertRegex(said[-1], rf"^rank 1 on {socket.gethostname()} is \d+ % behind the median of ranks")
        (self.run_folder / "stop").touch()
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 75)
        named = [line for line in self.metrics() if "slowest_rank" in line]
        # What else the machine does may have slowed the other rank, too, but before that and by less.
        self.assertEqual(max(named, key=lambda line: line["slowest_behind"])["slowest_rank"], 1)
        for line in named:
            self.assertGreaterEqual(line["slowest_behind"], 0.1)
            self.assertEqual(line["slowest_host"], socket.gethostname())
        self.train(*["--schedule", "constant", "--warmup-steps", 0, "--micro-batch", 8, "--global-batch", 64],
                   steps=self.metrics()[-1]["step"] + 1)  # alone nobody is slow
        self.assertNotIn("slowest_rank", self.metrics()[-1])

    def test_the_rate_is_held_against_the_machines(self):
        done = self.train("--log-every", 2, ranks=2)
        self.assertRegex(done.err, r"step 4/6  loss .*  lr .*  norm .*  \d+ tok/s  \d+% peak .* left")
        for line in self.metrics():
            self.assertGreater(line["peak_fraction"], 0)
            self.assertLess(line["peak_fraction"], 1)


if __name__ == "__main__":
    unittest.main()
