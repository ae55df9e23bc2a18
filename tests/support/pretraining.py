"""The small data sets that the tests of `chainrule pretrain` share, and how its runs are started and looked at."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from program import MPIRUN, MPIRUN_FLAGS, PROGRAM, chainrule

# Eight blocks of parameters, so that each of a few ranks owns some; a step takes a few milliseconds.
SHAPE = ["--model", "tiny", "--width", "128", "--sequence-length", "16"]


class PretrainTest(unittest.TestCase):
    """A folder (with a space in its name) with the fixture of make_training_fixture.cpp, made once a class."""

    @classmethod
    def setUpClass(cls):
        cls.fixture = pathlib.Path(tempfile.mkdtemp(prefix="chainrule pretrain "))
        cls.addClassCleanup(shutil.rmtree, cls.fixture)
        subprocess.run([os.environ["CHAINRULE_TRAINING_FIXTURE"], cls.fixture], check=True)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.fixture))
        self.run_folder = self.folder / "run"

    def options(self, *more, run=None, data="pair", steps=6):
        """Later options of the same name replace earlier ones."""
        words = ["--data", self.fixture / data, "--run", run or self.run_folder, *SHAPE, "--micro-batch", 2,
                 "--global-batch", 16, "--steps", steps, "--checkpoint-every", 2, "--log-every", 1, *more]
        merged = dict(zip(words[::2], words[1::2]))
        return ["pretrain", *[str(word) for pair in merged.items() for word in pair]]

    def train(self, *more, ranks=None, check=0, env=None, **changes):
        return chainrule(*self.options(*more, **changes), ranks=ranks, check=check, env=env)

    def metrics(self, run=None):
        return [json.loads(line) for line in ((run or self.run_folder) / "metrics.jsonl").read_text().splitlines()]

    def weights_hash(self, run=None):
        """The last one, which must be the last line's and the newest checkpoint's."""
        last = self.metrics(run)[-1]
        model = json.loads((self.checkpoint(last["step"], run) / "model.json").read_text())
        self.assertEqual(model["weights_hash"], last["weights_hash"])
        return last["weights_hash"]

    def checkpoint(self, step, run=None):
        return (run or self.run_folder) / "checkpoints" / f"step-{step:08}"

    def checkpoints(self, run=None):
        return sorted(entry.name for entry in ((run or self.run_folder) / "checkpoints").iterdir())

    def start(self, *more, ranks, env=None, by=(), **changes):
        """Starts a run under mpirun, each rank by the command `by`, and returns at once."""
        command = [MPIRUN, *MPIRUN_FLAGS, "-n", str(ranks), *by, PROGRAM, *self.options(*more, **changes)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        return process

    def wait_for_line(self, process, start):
        """Reads what a started run says up to a line that starts so."""
        said = []
        for line in process.stderr:
            said.append(line.decode())
            if said[-1].startswith(start):
                return said
        self.fail(f"no line that starts with '{start}' in:\n{''.join(said)}")

    def keep_checkpoints_up_to(self, step):
        """Takes a run back to an earlier checkpoint."""
        for name in self.checkpoints():
            if int(name.removeprefix("step-").removesuffix(".partial")) > step:
                shutil.rmtree(self.run_folder / "checkpoints" / name)

    @staticmethod
    def wait_until(condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError("waited in vain")
            time.sleep(0.002)


def flip_bit(path, at=None):
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 1
    path.write_bytes(content)
