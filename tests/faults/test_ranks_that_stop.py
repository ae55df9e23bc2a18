"""A rank that dies, is stopped or hangs: all end within half a minute, and one message says which it was, where and at
what. What only takes its time is let be."""
import os
import pathlib
import re
import signal
import socket
import tempfile
import time
import unittest

from failing_calls import failing
from pretraining import PretrainTest
from program import chainrule

HOST = socket.gethostname()


def ranks_of(launcher):
    """Processes of the program under mpirun, by rank."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
            environment = (path.parent / "environ").read_bytes()
        except OSError:
            continue
        rank = re.search(rb"OMPI_COMM_WORLD_RANK=(\d+)", environment)
        if int(fields[1]) == launcher and rank:
            found[int(rank[1])] = int(path.parent.name)
    return found


class RanksThatStop(PretrainTest):
    def started(self, ranks, steps=100_000, **more):
        run = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "run"
        process = self.start("--log-every", steps, ranks=ranks, steps=steps, run=run, **more)
        metrics = run / "metrics.jsonl"
        self.wait_until(lambda: metrics.exists() and metrics.read_text().count("\n") > 2)
        time.sleep(1)
        return process, ranks_of(process.pid)

    def ends(self, process, *said, within=30):
        """Within so many seconds, with a message of ours that says all of `said`."""
        begin = time.monotonic()
        _, err = process.communicate(timeout=within + 30)
        self.assertLess(time.monotonic() - begin, within)
        self.assertNotIn(process.returncode, (0, 75))
        # Open MPI 5's launcher may write a zero byte before it.
        ours = [line for line in err.decode().replace("\0", "").splitlines() if line.startswith("chainrule: rank")]
        self.assertEqual(len(ours), 1, err)
        for text in said:
            self.assertRegex(ours[0], text)

    def test_a_rank_that_is_killed(self):
        for victim, timeout in ((0, 1), (2, 10)):
            process, ranks = self.started(ranks=3, env={**os.environ, "OMPI_MCA_odls_base_sigkill_timeout": str(timeout)})
            os.kill(ranks[victim], signal.SIGKILL)
            self.ends(process, f"rank {victim} on {HOST} has died", r"it was .* \(step \d+\)", within=20)

    def test_a_rank_that_is_stopped(self):
        process, ranks = self.started(ranks=2)
        os.kill(ranks[1], signal.SIGSTOP)
        self.ends(process, f"rank 1 on {HOST} gives no sign of life", r"\(step \d+\)")
        self.wait_until(lambda: not pathlib.Path(f"/proc/{ranks[1]}").exists(), seconds=5)

    def test_a_rank_that_hangs_in_a_step(self):
        process, _ = self.started(ranks=3, env={**os.environ, **failing("compute::HANG:after=5000:rank=0")})
        self.ends(process, f"rank 0 on {HOST} does not come on; it was taking a step \\(step \\d+\\)",
                  within=60)  # it may take ten times as long as steps did, on a busy machine

    def test_all_ranks_stopped_for_a_while(self):
        """As a scheduler does that suspends a job."""
        process, ranks = self.started(ranks=2)
        for rank in ranks.values():
            os.kill(rank, signal.SIGSTOP)
        time.sleep(25)
        for rank in ranks.values():
            os.kill(rank, signal.SIGCONT)
        time.sleep(2)
        process.send_signal(signal.SIGUSR1)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 75, err)

    def test_files_that_stand_still_for_a_while(self):
        """Each for longer than a step may, on one rank: the file that is looked for, the hold where there are no locks,
        and the file that is written."""
        stalls = ["stat:run/stop$:STALL:after=1+1:rank=0", "open:lock.held:STALL:after=60+1:rank=0",
                  "write:metrics.jsonl:STALL:after=90+1:rank=0"]
        no_locks = ["lock:lock$:ENOSYS:always", "asklock:lock$:ENOSYS:always"]
        begin = time.monotonic()
        self.train("--log-every", 200, "--checkpoint-every", 0, ranks=2, steps=200, env=failing(*stalls, *no_locks))
        self.assertGreater(time.monotonic() - begin, 20 * len(stalls))

    def test_a_save_that_takes_long(self):
        slow = " ".join(f"write:optimizer-{rank:05}:SLOW:12" for rank in (0, 1))
        for mode in ("background", "sync"):
            done = self.train("--checkpoint-mode", mode, "--checkpoint-every", 0, run=self.folder / mode, ranks=2, steps=2, env=failing(*slow.split()))
            self.assertNotIn("sign of life", done.err)

    def test_a_checkpoint_that_is_verified_slowly(self):
        """Among the steps that verify-run takes."""
        self.train("--average", "ema:0.9", "--checkpoint-every", 150, "--keep-checkpoints", 9, "--log-every", 300,
                   steps=300)
        done = chainrule("verify-run", self.run_folder, "--from", 150, "--steps", 150, ranks=2, check=0,
                         env=failing("open:step-00000300/manifest.json:STALL:1:rank=1"))
        self.assertIn("their average in 1 checkpoint", done.out)


if __name__ == "__main__":
    unittest.main()
