"""What soak.sh does; as a test of a few cycles too (test_soak.py)."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from failing_calls import failing
from program import MPIRUN, MPIRUN_FLAGS, PROGRAM

RANKS = (2, 4, 3, 1)
STEPS = 300
OPTIONS = ["--model", "tiny", "--width", "128", "--sequence-length", "16", "--micro-batch", "2", "--global-batch", "16",
           "--steps", str(STEPS), "--checkpoint-every", "7", "--keep-every", "100", "--log-every", "1000",
           "--skip-outliers"]
CALLS = ("create", "write", "fsync", "rename", "unlink", "mkdir", "truncate")


class Soak:
    """Runs in a folder of their own, deleted with it."""

    def __init__(self, seed, folder):
        self.random = random.Random(seed)
        self.folder = pathlib.Path(folder)
        subprocess.run([os.environ["CHAINRULE_TRAINING_FIXTURE"], self.folder], check=True)
        self.cycles = self.finished = self.steps_again = self.killed_in_calls = 0
        self.start(self.folder / "whole", 1).wait()
        self.log.close()
        self.expected = self.result(self.folder / "whole")

    def start(self, run, ranks, env=None):
        command = [PROGRAM, "pretrain", *self.data(), "--run", run, *OPTIONS]
        if ranks > 1:
            command = [MPIRUN, *MPIRUN_FLAGS, "-n", str(ranks), *command]
        self.log = open(self.folder / "log", "w+b")
        return subprocess.Popen(command, stdout=self.log, stderr=self.log, env={**os.environ, **(env or {})},
                                start_new_session=True)

    def data(self):
        pair = self.folder / "pair"
        return ["--mix", f"a={pair}/train:0.7", f"b={pair}/held-out:0.3", f"a:0.2@{STEPS // 2}", "--max-epochs", "1000"]

    def result(self, run):
        """The last weights, every step's loss, and where the data stands."""
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        last = run / "checkpoints" / f"step-{STEPS:08}"
        state = json.loads((last / "state.json").read_text())
        kept = sorted(path.name for path in last.parent.iterdir())
        own = {"elapsed_seconds", "program_digest", "instruction_set", "threads_per_rank"}
        return ([line["loss"] for line in lines], [line["step"] for line in lines],
                json.loads((last / "model.json").read_text())["weights_hash"],
                {name: value for name, value in state.items() if name not in own}, kept)

    @staticmethod
    def newest_step(run):
        """Of metrics.jsonl, whose last line may be torn."""
        try:
            lines = (run / "metrics.jsonl").read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return 0
        return json.loads(lines[-1])["step"] if lines else 0

    def kill_somewhere(self, run, ranks):
        """One start that is killed, or comes to the end. Whether it came to the end."""
        in_call = self.random.random() < 0.5
        env = None
        if in_call:
            rank = f":rank={self.random.randrange(ranks)}" if ranks > 1 else ""
            env = failing(f"{self.random.choice(CALLS)}:{run.name}/:KILL:after={int(self.random.expovariate(1 / 60))}{rank}")
        process = self.start(run, ranks, env)
        try:
            process.wait(timeout=20 if in_call else self.random.uniform(0.2, 4))
        except subprocess.TimeoutExpired:
            in_call = False
        # The launcher alone, or all at once.
        if process.poll() is None:
            if self.random.random() < 0.5:
                os.kill(process.pid, signal.SIGKILL)
                time.sleep(0.2)
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        elif process.returncode == 0:
            return True
        self.killed_in_calls += in_call
        return False

    def wait_until_free(self, run):
        """Ranks whose launcher died end a moment later."""
        needle = str(run).encode()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            alive = False
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    alive = alive or (needle in path.read_bytes() and path.parent.name != str(os.getpid()))
                except OSError:
                    continue
            if not alive:
                return
            time.sleep(0.05)
        raise AssertionError(f"processes on {run} still live half a minute after they were killed")

    def cycle(self, run):
        before = self.newest_step(run)
        ended = self.kill_somewhere(run, RANKS[self.cycles % len(RANKS)])
        self.wait_until_free(run)
        self.log.seek(0)
        said = self.log.read().decode("utf-8", "replace")
        self.log.close()
        starts = run / "environment.json"
        if starts.exists():
            from_step = json.loads(starts.read_text())["starts"][-1].get("from_step", 0)
            if before > from_step and "going on from" in said:
                self.steps_again += before - from_step
        for bad in ("damaged", "Traceback", "chainrule: warning: cannot"):
            if bad in said:
                raise AssertionError(f"after {self.cycles} cycles it said:\n{said}")
        self.cycles += 1
        if not ended:
            return
        self.finished += 1
        found = self.result(run)
        if found != self.expected:
            raise AssertionError(f"after {self.cycles} cycles the run is another one: {run}")
        shutil.rmtree(run)

    def go(self, cycles, say):
        run = self.folder / "soaked"
        begin = time.monotonic()
        while self.cycles < cycles:
            self.cycle(run)
            if self.cycles % 50 == 0:
                say(self.summary(begin))
        # Whatever state the last one was left in, the run can be ended.
        if run.exists():
            ended = self.start(run, 2).wait()
            self.log.close()
            if ended != 0:
                raise AssertionError((self.folder / "log").read_text())
            if self.result(run) != self.expected:
                raise AssertionError("the last run is another one")
            self.finished += 1
        say(self.summary(begin))

    def summary(self, begin):
        return (f"{self.cycles} cycles ({self.killed_in_calls} killed in a call on the run's files), {self.finished} runs "
                f"finished with the bits of the undisturbed one, {self.steps_again} steps taken again "
                f"({self.steps_again / max(1, self.cycles):.1f} a cycle), {time.monotonic() - begin:.0f} s")


def main():
    cycles, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory(prefix="chainrule soak ") as folder:
        Soak(seed, folder).go(cycles, lambda text: print(text, flush=True))


if __name__ == "__main__":
    main()
