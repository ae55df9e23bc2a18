"""kill -9 at every call by which a checkpoint comes to be: whatever was reached, the same command ends in the bits of a
run that was never killed. CHAINRULE_ALL_CALLS=1 tries each of them; else some of each kind."""
import os
import shutil
import unittest

from failing_calls import failing
from pretraining import PretrainTest
from program import chainrule


class KilledSaves(PretrainTest):
    STRIDES = {"create": 3, "mkdir": 1, "fsync": 3, "rename": 2, "unlink": 1, "truncate": 1, "write": 29}

    def setUp(self):
        super().setUp()
        self.begun = self.folder / "begun"
        self.train("--schedule", "constant", run=self.begun, steps=2)
        self.train("--schedule", "constant", run=self.folder / "whole", steps=6)
        self.expected = self.weights_hash(self.folder / "whole")

    def killed_at(self, call, count, mode):
        """Whether the run was killed at that call; then it is ended without."""
        run = self.folder / "run"
        shutil.copytree(self.begun, run)
        options = ["--schedule", "constant", "--checkpoint-mode", mode]
        done = self.train(*options, run=run, steps=6, check=None,
                          env=failing(f"{call}:run/checkpoints/:KILL:after={count}"))
        if done.returncode == 0:
            shutil.rmtree(run)
            return False
        self.assertEqual(done.returncode, -9, done.err)
        again = self.train(*options, run=run, steps=6)
        self.assertNotIn("damaged", again.err)
        self.assertEqual(self.weights_hash(run), self.expected, f"killed at {call} {count}")
        # Whoever is killed behind its last checkpoint may leave an older one, whole.
        self.assertEqual([name for name in self.checkpoints(run) if name != "step-00000002"],
                         ["step-00000004", "step-00000006"])
        if self.checkpoint(2, run).exists():
            chainrule("inspect", self.checkpoint(2, run), check=0)
        shutil.rmtree(run)
        return True

    def test_every_call(self):
        reached = {}
        for call, stride in self.STRIDES.items():
            stride = 1 if "CHAINRULE_ALL_CALLS" in os.environ else stride
            count = 0
            while self.killed_at(call, count, "background" if count % 2 else "sync"):
                count += stride
            reached[call] = count
        print(f"killed at so many calls of each kind: {reached}", flush=True)
        for call in ("create", "mkdir", "fsync", "rename", "unlink", "write"):
            self.assertGreater(reached[call], 0, call)


if __name__ == "__main__":
    unittest.main()
