"""Pipes where files are expected: what lies in a run directory is refused by its name and never waited for, and what a
person names may be a pipe."""
import os
import shutil
import unittest

from pretraining import PretrainTest
from program import chainrule
from refusals import Refusals, copied

CONSTANT = ["--schedule", "constant", "--warmup-steps", 1]


class PipesInARun(Refusals, PretrainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        maker = cls()
        PretrainTest.setUp(maker)
        cls.begun = cls.fixture / "begun"
        maker.train(*CONSTANT, "--keep-checkpoints", 3, run=cls.begun)

    def put_pipe(self, name):
        shutil.rmtree(self.run_folder, ignore_errors=True)
        copied(self.begun, self.run_folder)
        (self.run_folder / name).unlink(missing_ok=True)
        os.mkfifo(self.run_folder / name)

    def go_on(self, ranks=None, check=None):
        return chainrule(*self.options(*CONSTANT, steps=8), ranks=ranks, check=check, timeout=20)

    def test_going_on_is_refused(self):
        for name in ("lock", "lock.held", "config.cfg", "metrics.jsonl", "environment.json"):
            for ranks in (None, 2):
                with self.subTest(name=name, ranks=ranks):
                    self.put_pipe(name)
                    self.assert_refused(self.go_on(ranks), 66, f"{name}': it is not a regular file")

    def test_a_checkpoint_with_one_is_damaged(self):
        for name in ("manifest.json", "model.json", "model.h5", "state.json", "optimizer-00000.h5"):
            for ranks in (None, 2):
                with self.subTest(name=name, ranks=ranks):
                    self.put_pipe(f"checkpoints/step-00000006/{name}")
                    done = self.go_on(ranks, check=0)
                    self.assertIn("step-00000006.damaged", done.err)
                    self.assertIn("going on from step 4", done.err)

    def test_others_that_read_the_run(self):
        newest = "checkpoints/step-00000006/manifest.json"
        for name in ("lock", "lock.held", "config.cfg", "metrics.jsonl", "environment.json", newest):
            with self.subTest(name=name):
                self.put_pipe(name)
                done = chainrule("report", "runs", self.run_folder, check=0, timeout=20)
                self.assertIn("damaged", done.out)
                self.assertIn(name, done.out)
        done = chainrule("evaluate", "--model", self.run_folder, "--data", self.fixture / "pair/held-out", "--report",
                         self.folder / "report", check=0, timeout=20)
        self.assertIn("passing over step 6", done.err)
        os.mkfifo(self.folder / "pipe.h5")
        self.assert_refused(chainrule("inspect", self.folder / "pipe.h5", timeout=20), (64, 65, 66), "pipe.h5")

    def test_what_a_person_names_may_be_one(self):
        text = b"".join(f"{name.removeprefix('--')} = {value}\n".encode()
                        for name, value in zip(CONSTANT[::2], CONSTANT[1::2]))
        chainrule(*self.options(), "--config", "/dev/stdin", input=text, check=0)
        self.assertIn("schedule = constant", (self.run_folder / "config.cfg").read_text())
        said = chainrule("generate", "--model", self.run_folder, "--prompts", "/dev/stdin", "--max-tokens", 2,
                         input=b'{"prompt": "a"}\n', check=0)
        self.assertTrue(said.out)
        tokenizer = (self.checkpoint(6) / "tokenizer.json").read_bytes()
        (self.folder / "text").write_text("a")
        chainrule("tokenizer", "encode", "--tokenizer", "/dev/stdin", "--input", self.folder / "text", input=tokenizer,
                  check=0)


if __name__ == "__main__":
    unittest.main()
