"""`chainrule pretrain` with wrong options, bad data, damaged checkpoints and dying processes: one clear message, the
right exit code, nothing of the person's overwritten, and a run that goes on to the same bits."""
import json
import os
import resource
import shutil
import signal
import subprocess
import unittest

from pretraining import PretrainTest, flip_bit
from program import PROGRAM, chainrule


class PretrainFaults(PretrainTest):
    def refuse(self, code, *said, options, ranks=(None, 3)):
        """On each rank count (None: without a launcher): the exit code, and one message that says all of `said`."""
        for count in ranks:
            done = chainrule(*options, ranks=count, timeout=30)
            self.assertEqual(done.returncode, code, done.err)
            for text in said:
                self.assertIn(str(text), done.err)
            self.assertEqual(done.err.count("chainrule: "), 1, done.err)
            self.assertEqual(done.out, "")

    def copied(self, name):
        shutil.copytree(self.fixture / name, self.folder / name)
        return self.folder / name

    def test_usage(self):
        for more, said in ((["--global-batch", 15], "'--global-batch' must be a multiple of --micro-batch 2"),
                           (["--micro-batch", 0], "'--micro-batch' must be at least 1"),
                           (["--steps", 0], "'--steps' must be at least 1"),
                           (["--steps", "many"], "--steps"),
                           (["--lanes", 6], "'--lanes' must be a power of two"),
                           (["--beta2", 1], "'--beta2' must be from 0"),
                           (["--epsilon", 0], "'--epsilon' must be from"),
                           (["--learning-rate", "nan"], "'--learning-rate' must be from"),
                           (["--learning-rate", -1], "'--learning-rate' must be from"),
                           (["--minimum-learning-rate", 1], "'--minimum-learning-rate' must be from 0 to 0.0006"),
                           (["--warmup-steps", 7], "'--warmup-steps' must be at most --steps 6"),
                           (["--clip-norm", -1], "'--clip-norm' must be from"),
                           (["--z-loss", -1e-4], "'--z-loss' must be from 0 to 1, not -0.0001"),
                           (["--z-loss", 1.5], "'--z-loss' must be from 0 to 1, not 1.5"),
                           (["--z-loss", "nan"], "'--z-loss' must be from 0 to 1"),
                           (["--validation-tokens", 0], "'--validation-tokens' must be at least 1"),
                           (["--keep-checkpoints", 0], "'--keep-checkpoints' must be at least 1"),
                           (["--threads", -1], "'--threads' must be at least 0"),
                           (["--model", "gpt5"], "no preset is named 'gpt5'; there are tiny"),
                           (["--heads", 3], "not a multiple of its 3 heads"),
                           (["--global-bach", 16], "did you mean '--global-batch'")):
            self.refuse(64, said, options=self.options(*more), ranks=(None,))
        self.refuse(64, "'--lanes' must be a power of two", options=self.options("--lanes", 6))
        self.refuse(64, "not a multiple of its 3 heads", options=self.options("--heads", 3))
        self.refuse(64, "'--run' is required", options=["pretrain", "--data", "x", "--steps", "1"], ranks=(None,))
        self.assertFalse(self.run_folder.exists())

    def test_more_ranks_than_lanes(self):
        self.refuse(64, "3 ranks are more than the 2 lanes", options=self.options("--lanes", 2), ranks=(3,))
        self.train("--lanes", 2, ranks=2)
        self.keep_checkpoints_up_to(4)
        self.refuse(64, "3 ranks are more than the 2 lanes", options=self.options(), ranks=(3,))
        self.train(ranks=2)

    def test_missing_data(self):
        self.refuse(66, "nowhere", options=self.options(data="nowhere"))
        self.refuse(66, "nowhere", options=self.options("--validation-data", self.fixture / "nowhere"))

    def test_damaged_shards(self):
        for damage, said in ((lambda path: flip_bit(path), "shard-00002.h5"),
                             (lambda path: os.truncate(path, path.stat().st_size - 100), "shard-00002.h5"),
                             (lambda path: path.unlink(), "shard-00002.h5")):
            data = self.copied("pair")
            damage(data / "train/shard-00002.h5")
            self.refuse(66 if not (data / "train/shard-00002.h5").exists() else 65, said,
                        options=self.options("--data", data))
            shutil.rmtree(data)
        data = self.copied("pair")
        flip_bit(data / "held-out/shard-00000.h5")
        self.refuse(65, "held-out/shard-00000.h5", options=self.options("--data", data))

    def test_other_tokenizers(self):
        self.refuse(65, "made with another tokenizer",
                    options=self.options("--validation-data", self.fixture / "other"), ranks=(None, 2))
        self.refuse(65, "tokenizer.json", options=self.options(data="mistaken"), ranks=(None, 2))

    def test_fewer_tokens_than_a_window(self):
        self.refuse(65, "fewer than one window of --sequence-length 512",
                    options=self.options("--sequence-length", 512, data="short"), ranks=(None, 2))

    def test_folders_that_are_no_run(self):
        self.run_folder.mkdir()
        mine = self.run_folder / "thesis.txt"
        mine.write_text("mine")
        self.refuse(73, "not empty and is no run directory", options=self.options())
        self.assertEqual([path.name for path in self.run_folder.iterdir()], ["thesis.txt"])
        self.refuse(73, "is no folder", options=self.options(run=mine), ranks=(None,))
        self.refuse(73, "cannot create", options=self.options(run=mine / "run"), ranks=(None, 2))
        self.assertEqual(mine.read_text(), "mine")

    def test_run_in_use_names_its_holder(self):
        process = self.start(ranks=2, steps=100_000)
        self.wait_for_line(process, "step 2/")
        holder = (self.run_folder / "lock").read_text()
        self.assertRegex(holder, r"^process \d+ on \S+ since ")
        self.refuse(73, "is in use by " + holder, options=self.options(steps=100_000))
        process.send_signal(signal.SIGUSR1)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 75)

    def test_options_that_may_not_change(self):
        self.train()
        before = self.metrics()
        for more, said in ((["--steps", 7], "option '--steps' is '6' in this run and '7' now; the learning rates"),
                           (["--learning-rate", 1e-3], "option '--learning-rate' is '0.0006' in this run"),
                           (["--layers", 3], "option '--layers' is not set in this run and '3' now"),
                           (["--lanes", 4], "option '--lanes' is '8' in this run and '4' now"),
                           (["--seed", 5], "option '--seed'"),
                           (["--z-loss", 1e-4], "option '--z-loss' is not set in this run and '0.0001' now"),
                           (["--micro-batch", 4], "option '--micro-batch'")):
            self.refuse(64, said, options=self.options(*more), ranks=(None,))
        self.refuse(64, "option '--steps'", options=self.options(steps=7))
        self.refuse(64, "option '--data'", options=self.options(data="pair/held-out"), ranks=(None, 2))
        self.assertEqual(self.metrics(), before)

    def test_killed_at_any_moment(self):
        whole = self.folder / "whole"
        self.train("--checkpoint-every", 1, run=whole, steps=30)
        for ranks, line in ((2, "step 4/"), (1, "step 11/"), (3, "step 17/")):
            process = self.start("--checkpoint-every", 1, ranks=ranks, steps=30)
            self.wait_for_line(process, line)
            holder = int((self.run_folder / "lock").read_text().split()[1])
            os.kill(holder, signal.SIGKILL)  # rank 0, which writes most of a checkpoint
            process.communicate(timeout=60)
            self.assertNotIn(process.returncode, (0, 75))
        self.train("--checkpoint-every", 1, ranks=2, steps=30)
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))
        self.assertEqual([each["loss"] for each in self.metrics()], [each["loss"] for each in self.metrics(whole)])
        self.assertEqual(self.checkpoints(), ["step-00000029", "step-00000030"])

    def test_remains_of_a_checkpoint_that_was_not_completed(self):
        whole = self.folder / "whole"
        self.train(run=whole)
        self.train()
        self.keep_checkpoints_up_to(4)
        partial = self.run_folder / "checkpoints/step-00000006.partial"
        shutil.copytree(self.checkpoint(4), partial)
        self.train()
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))
        self.assertFalse(partial.exists())

    def test_damaged_newest_checkpoint(self):
        whole = self.folder / "whole"
        self.train(ranks=2, run=whole)
        damages = [("model.h5", flip_bit), ("optimizer-00001.h5", flip_bit), ("state.json", flip_bit),
                   ("tokenizer.json", flip_bit), ("manifest.json", lambda path: path.write_bytes(path.read_bytes()[:90])),
                   ("optimizer-00000.h5", lambda path: os.truncate(path, path.stat().st_size - 1)),
                   ("model.json", lambda path: path.unlink()), ("manifest.json", lambda path: path.unlink())]
        for number, (name, damage) in enumerate(damages):
            run = self.folder / f"run {number}"
            shutil.copytree(whole, run)
            damage(self.checkpoint(6, run) / name)
            done = self.train(run=run, ranks=None if number else 3)
            self.assertIn("warning: ", done.err)
            self.assertIn("step-00000006.damaged", done.err)
            self.assertIn("going on from step 4", done.err)
            self.assertEqual(self.weights_hash(run), self.weights_hash(whole), name)
            self.assertEqual(self.checkpoints(run), ["step-00000004", "step-00000006", "step-00000006.damaged"])

    def with_init(self, *more, run, source, ranks=None, check=0):
        """A run whose model's shape comes with another's checkpoint."""
        options = self.options("--init", source, *more, run=run)
        for name in ("--model", "--width", "--sequence-length"):
            at = options.index(name)
            del options[at:at + 2]
        return options, chainrule(*options, ranks=ranks, check=check)

    def test_damaged_newest_checkpoint_of_a_run_that_began_with_a_model(self):
        source = self.folder / "source"
        self.train(run=source, steps=2)
        whole = self.folder / "whole"
        self.with_init(run=whole, source=source)
        damages = [lambda folder: flip_bit(folder / "model.json", 0), lambda folder: (folder / "model.json").unlink(),
                   lambda folder: os.truncate(folder / "model.json", 50), lambda folder: flip_bit(folder / "model.h5"),
                   lambda folder: [path.unlink() for path in folder.iterdir()]]
        for number, damage in enumerate(damages):
            for ranks in (None, 2):
                with self.subTest(damage=number, ranks=ranks):
                    run = self.folder / f"run {number} {ranks}"
                    shutil.copytree(whole, run)
                    damage(self.checkpoint(6, run))
                    _, done = self.with_init(run=run, source=source, ranks=ranks)
                    self.assertIn("step-00000006.damaged", done.err)
                    self.assertIn("going on from step 4", done.err)
                    self.assertEqual(self.weights_hash(run), self.weights_hash(whole))
        for step in (4, 6):
            (self.checkpoint(step, whole) / "model.json").unlink()
        options, _ = self.with_init(run=whole, source=source, check=65)
        self.refuse(65, "no checkpoint of", "intact", options=options, ranks=(None, 2))

    def test_a_branch_begins_at_the_newest_intact_checkpoint(self):
        trunk = self.folder / "trunk"
        self.train("--schedule", "constant", "--warmup-steps", 2, "--keep-checkpoints", 3, run=trunk)
        whole = self.folder / "whole"
        self.train("--schedule", "warmup-stable-decay", "--decay-steps", 4, "--warmup-steps", 2, run=whole, steps=8)
        for name in ("model.h5", "model.json", "state.json", "optimizer-00000.h5"):
            for ranks in (None, 2):
                with self.subTest(name=name, ranks=ranks):
                    damaged = self.folder / f"damaged {name} {ranks}"
                    shutil.copytree(trunk, damaged)
                    flip_bit(self.checkpoint(6, damaged) / name)
                    run = self.folder / f"branch {name} {ranks}"
                    # No --steps: it ends where its decay does.
                    options = self.options("--init", damaged, "--decay-steps", 4, run=run)
                    for option in ("--model", "--width", "--sequence-length", "--steps"):
                        at = options.index(option)
                        del options[at:at + 2]
                    done = chainrule(*options, "--decay-now", ranks=ranks, check=0)
                    self.assertIn("step-00000006' is not gone on from", done.err)
                    self.assertEqual([line["step"] for line in self.metrics(run)], [5, 6, 7, 8])
                    self.assertEqual(self.weights_hash(run), self.weights_hash(whole))
                    self.assertEqual(len(self.checkpoints(damaged)), 3)

    def test_no_intact_checkpoint(self):
        self.train()
        for step in (4, 6):
            flip_bit(self.checkpoint(step) / "model.h5")
        self.refuse(65, "no checkpoint of", options=self.options())  # and never anew over what is left of it
        self.assertEqual(self.checkpoints(), ["step-00000004", "step-00000006"])
        self.assertEqual(len(self.metrics()), 6)

    DIVERGING = ["--learning-rate", 1000, "--clip-norm", 0, "--warmup-steps", 0]

    def test_what_is_not_finite_is_not_saved(self):
        for ranks in (None, 3):
            done = self.train(*self.DIVERGING, "--checkpoint-every", 1, steps=50, ranks=ranks, check=65)
            last = int(self.checkpoints()[-1].removeprefix("step-"))
            self.assertRegex(done.err, rf"chainrule: (rank \d: )?after step {last + 1} the optimizer's second_moment is not finite")

    def test_steps_that_are_not_finite_are_passed_over_so_many_times(self):
        last = None  # step that could be taken
        for skips, ranks in ((0, None), (0, 3), (4, 2), (4, None)):
            run = self.folder / f"{skips} {ranks}"
            done = self.train(*self.DIVERGING, "--checkpoint-every", 0, "--max-skips", skips, run=run, steps=50,
                              ranks=ranks, check=65)
            lines = self.metrics(run)
            last = last or lines[-1]["step"]
            self.assertEqual([line["step"] for line in lines], list(range(1, last + skips + 1)))
            self.assertRegex(done.err, rf"chainrule: step {last + skips + 1}: the .* not finite")
            if skips:
                self.assertIn(f"as steps from {last + 1} on were passed over (--max-skips 4)", done.err)
                self.assertIn(f"step {last + 1} was passed over: ", done.err)
            for line in lines:
                self.assertEqual("skipped" in line, line["step"] > last)
                self.assertEqual(line["gradient_norm"] is None, line["step"] > last)
            self.assertFalse((run / "checkpoints").exists())

    def test_full_disk(self):
        self.train("--checkpoint-every", 2)
        self.keep_checkpoints_up_to(4)

        def small_files_only():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

        done = subprocess.run([PROGRAM, *self.options()], preexec_fn=small_files_only, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 74, done.stderr)
        self.assertIn(b"step-00000006.partial", done.stderr)
        self.assertEqual(self.checkpoints(), ["step-00000004"])
        self.train()


if __name__ == "__main__":
    unittest.main()
