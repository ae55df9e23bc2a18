"""`chainrule pretrain` with schedules of the learning rate: runs that grow, and branches that decay from where they are."""
import json
import shutil
import unittest

from pretraining import PretrainTest
from program import chainrule

STABLE = ["--schedule", "warmup-stable-decay", "--warmup-steps", 2, "--decay-steps", 4]


class Schedules(PretrainTest):
    def rates(self, run=None):
        return [line["learning_rate"] for line in self.metrics(run)]

    def test_each_shape(self):
        for shape, more, rates in (
            ("linear", [], [0.5, 1, 0.8, 0.6, 0.4, 0.2]),
            ("constant", [], [0.5, 1, 1, 1, 1, 1]),
            ("warmup-stable-decay", ["--decay-steps", 4], [0.5, 1, 0.6, 1 - 0.8 * 0.5 ** 0.5, 1 - 0.8 * 0.75 ** 0.5, 0.2]),
        ):
            run = self.folder / shape
            minimum = [] if shape == "constant" else ["--minimum-learning-rate", "2e-4"]
            self.train("--schedule", shape, "--learning-rate", "1e-3", "--warmup-steps", 2, *minimum, *more, run=run)
            for found, wanted in zip(self.rates(run), rates, strict=True):
                self.assertAlmostEqual(found, wanted * 1e-3, 15, shape)

    def test_a_stable_run_grows_and_nothing_is_lost(self):
        whole = self.folder / "whole"
        self.train(*STABLE, run=whole, steps=14)
        self.train(*STABLE, "--keep-checkpoints", 9, steps=10)
        self.keep_checkpoints_up_to(6)  # behind it the decay began
        self.train(*STABLE, steps=14, ranks=2)
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))
        self.assertEqual(self.rates(), self.rates(whole))

    def test_a_constant_run_grows_after_its_end_and_may_get_a_decay(self):
        whole = self.folder / "whole"
        self.train(*STABLE, run=whole, steps=12)
        self.train("--schedule", "constant", "--warmup-steps", 2, steps=6)
        self.train("--schedule", "constant", steps=8)
        self.train("--schedule", "warmup-stable-decay", "--decay-steps", 4, "--minimum-learning-rate", "6e-5", steps=12,
                   ranks=3)
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))

    def test_what_has_begun_to_fall_does_not_grow(self):
        for words, grown, shrunk, message in (
            (["--warmup-steps", 2], [], [], "option '--steps' is '6' in this run and '8' now; the learning rates of its steps "
                                        "behind 2 depend on that, and it stands at step 4"),
            (STABLE, [], ["--decay-steps", 1], "its steps behind 2 depend on that"),
        ):
            with self.subTest(words=words):
                shutil.rmtree(self.run_folder, ignore_errors=True)
                self.train(*words)
                self.keep_checkpoints_up_to(4)
                for ranks in (None, 2):
                    done = self.train(*words, *grown, steps=8, ranks=ranks, check=64)
                    self.assertIn(message, done.err)
                self.assertIn("depend on that", self.train(*words, "--minimum-learning-rate", "1e-5", check=64).err)
                self.assertIn("it stands at step 4 already", self.train(*words, *shrunk, steps=3, check=64).err)
                self.train(*words)

    def test_fewer_steps_than_were_taken_are_named(self):
        for shape in ("constant", "cosine", "linear", "warmup-stable-decay"):
            with self.subTest(shape=shape):
                run = self.folder / shape
                words = ["--schedule", shape, "--warmup-steps", 1]
                self.train(*words, run=run)
                done = self.train(*words, run=run, steps=3, check=64)
                self.assertIn("option '--steps' is '6' in this run and '3' now; it stands at step 6 already", done.err)

    def test_warmup_may_not_change(self):
        self.train("--schedule", "constant", "--warmup-steps", 2)
        done = self.train("--schedule", "constant", "--warmup-steps", 1, check=64)
        self.assertIn("option '--warmup-steps' is '2' in this run and '1' now", done.err)

    def test_a_branch_decays_from_where_the_run_is(self):
        whole = self.folder / "whole"
        self.train(*STABLE, run=whole, steps=12)
        trunk = self.folder / "trunk"
        self.train("--schedule", "constant", "--warmup-steps", 2, run=trunk, steps=8, ranks=2)
        before = sorted((path, path.stat().st_mtime_ns) for path in trunk.rglob("*"))
        branch = ["--init", trunk, "--decay-steps", 4]
        self.branch(branch, ranks=2)
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))
        self.assertEqual([line["step"] for line in self.metrics()], [9, 10, 11, 12])
        self.assertEqual(sorted((path, path.stat().st_mtime_ns) for path in trunk.rglob("*")), before)
        again = self.folder / "again"
        chainrule("pretrain", "--config", self.run_folder / "config.cfg", "--run", again, check=0)
        self.assertEqual(self.weights_hash(again), self.weights_hash(whole))
        # The trunk goes on; the branch, begun again from its start or from a checkpoint, stays what it is.
        self.train("--schedule", "constant", "--warmup-steps", 2, "--keep-checkpoints", 9, run=trunk, steps=10)
        for last in (10, 0):
            self.keep_checkpoints_up_to(last)
            self.assertNotIn("lacks step", self.branch(branch, ranks=3).err)
            self.assertEqual(self.weights_hash(), self.weights_hash(whole))
        self.keep_checkpoints_up_to(0)
        done = chainrule("pretrain", "--config", self.run_folder / "config.cfg", "--run", self.folder / "late", check=64)
        self.assertIn("option '--steps' is 12: the run of --init stands at step 10, and with --decay-steps 4 it ends at 14",
                      done.err)
        shutil.rmtree(self.checkpoint(8, trunk))
        self.assertIn("which is gone", self.branch(branch, check=64).err)

    def branch(self, words, ranks=None, check=0):
        """Without --steps and the options of the shape."""
        options = self.options(*words)
        for name in ("--steps", "--model", "--width", "--sequence-length"):
            at = options.index(name)
            del options[at:at + 2]
        return chainrule(*options, "--decay-now", ranks=ranks, check=check)

    def test_branches_that_are_refused(self):
        trunk = self.folder / "trunk"
        self.train("--schedule", "constant", run=trunk)
        cosine = self.folder / "cosine"
        self.train("--warmup-steps", 2, run=cosine)
        for words, message in (
            (["--init", trunk], "option '--decay-now' takes --decay-steps"),
            (["--decay-steps", 4], "option '--decay-now' goes on from a run: name it with --init"),
            (["--init", trunk, "--decay-steps", 0], "option '--decay-steps' must be at least 1"),
            (["--init", trunk, "--decay-steps", 4, "--warmup-steps", 1], "option '--warmup-steps' is '0' in this run and '1'"),
            (["--init", trunk, "--decay-steps", 4, "--schedule", "cosine"], "is of --schedule warmup-stable-decay"),
            (["--init", trunk, "--decay-steps", 4, "--seed", 4], "option '--seed' is '0' in this run and '4' now"),
            (["--init", trunk, "--decay-steps", 4, "--lanes", 4], "option '--lanes' is '8' in this run and '4' now"),
            (["--init", trunk, "--decay-steps", 4, "--global-batch", 8], "option '--global-batch' is '16' in this run"),
            (["--init", cosine, "--decay-steps", 4], "depend on that, and it stands at step 6"),
            (["--init", self.checkpoint(6, trunk), "--decay-steps", 4], "goes on from a run of chainrule"),
        ):
            with self.subTest(words=words):
                self.assertIn(message, self.branch(words, check=64).err)
                self.assertFalse((self.run_folder / "checkpoints").exists())

    def test_outliers_are_told_by_the_same_steps_after_a_stop(self):
        whole = self.folder / "whole"
        self.train("--checkpoint-every", 50, run=whole, steps=150)  # its losses fall: none is an outlier
        options = [*self.options("--checkpoint-every", 50, steps=150), "--skip-outliers"]
        chainrule(*options, check=0)
        self.keep_checkpoints_up_to(100)
        state = json.loads((self.checkpoint(100) / "state.json").read_text())
        self.assertEqual(state["recent_losses"], [line["loss"] for line in self.metrics()[:100]])
        chainrule(*options, ranks=2, check=0)
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))
        state = json.loads((self.checkpoint(150) / "state.json").read_text())
        self.assertEqual(state["recent_losses"], [line["loss"] for line in self.metrics()[22:]])

    def test_refusals(self):
        for words, message in (
            (["--schedule", "cosin"], "option '--schedule' is 'cosin': cosine, linear, constant, warmup-stable-decay"),
            (["--decay-steps", 2], "option '--decay-steps' is of --schedule warmup-stable-decay"),
            ([*STABLE, "--decay-steps", 5], "must be at most the 4 steps behind the warmup, not 5"),
            ([*STABLE, "--decay-steps", 0], "option '--decay-steps' must be at least 1, not 0"),
            (["--schedule", "constant", "--minimum-learning-rate", "1e-5"], "is none of --schedule constant"),
        ):
            with self.subTest(words=words):
                self.assertIn(message, self.train(*words, check=64).err)
        self.assertFalse(self.run_folder.exists())


if __name__ == "__main__":
    unittest.main()
