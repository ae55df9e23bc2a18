"""--on-divergence rollback: back to the newest checkpoint, on behind the samples that led to the divergence, and only
once; the same bits however the run is divided and interrupted."""
import json
import unittest

from pretraining import PretrainTest
from program import chainrule

BATCH = 2


class Rollback(PretrainTest):
    OPTIONS = ["--global-batch", BATCH, "--learning-rate", 1e-3, "--skip-outliers", "yes", "--checkpoint-every", 20,
               "--keep-checkpoints", 100, "--log-every", 1000]
    STEPS = 300

    def run_poisoned(self, *more, run=None, **rest):
        options = dict(zip(self.OPTIONS[::2], self.OPTIONS[1::2]))
        options.pop("--skip-outliers")
        words = [word for pair in options.items() for word in pair]
        return self.train(*words, *more, run=run, data="poisoned", steps=self.STEPS, **rest)

    def setUp(self):
        super().setUp()
        config = self.folder / "outliers.cfg"
        config.write_text("skip-outliers = yes\n")
        self.outliers = ["--config", config]

    def state(self, step, run=None):
        return json.loads((self.checkpoint(step, run) / "state.json").read_text())

    def test_goes_back_and_on(self):
        passing = self.folder / "passing"
        self.run_poisoned(*self.outliers, run=passing)
        skipped = [line["step"] for line in self.metrics(passing) if "skipped" in line]
        self.assertTrue(skipped, "the data is poisoned")
        at = skipped[0]
        back = (at - 1) // 20 * 20
        rollback = [*self.outliers, "--max-skips", 0, "--on-divergence", "rollback", "--average", "ema:0.9"]
        done = self.run_poisoned(*rollback, ranks=2)
        self.assertIn(f"going back to step {back}, and on behind the samples {back * BATCH} to {at * BATCH}", done.err)
        lines = self.metrics()
        self.assertEqual([line["step"] for line in lines], list(range(1, self.STEPS + 1)))
        for line in lines:
            self.assertEqual("rolled_back" in line, line["step"] == back + 1)
            passed_over = (at - back) * BATCH if line["step"] > back else 0
            self.assertEqual(line["samples"], line["step"] * BATCH + passed_over)
        self.assertEqual(self.state(self.STEPS)["samples_passed_over"], (at - back) * BATCH)
        self.assertNotIn("samples_passed_over", self.state(back))

        done = chainrule("verify-run", self.run_folder, "--from", back, "--steps", 25, check=0)
        self.assertIn("their average in 1 checkpoint\n", done.out)  # which went back, too
        for keep in (back, back + 20):  # as if it had been killed there
            whole = self.weights_hash()
            self.keep_checkpoints_up_to(keep)
            self.run_poisoned(*rollback, ranks=3)
            self.assertEqual(self.weights_hash(), whole)
            self.assertEqual([line["loss"] for line in self.metrics()], [line["loss"] for line in lines])

    def test_stages_of_a_mix_begin_by_samples(self):
        def run(entries, steps, *more, ranks=None, run=None):
            words = self.options(*self.OPTIONS[:4], "--config", self.folder / "outliers.cfg", "--max-skips", 0,
                                 "--on-divergence", "rollback", "--keep-checkpoints", 100, "--checkpoint-every", 20,
                                 "--log-every", 1000, "--schedule", "constant", "--warmup-steps", 6, *more, steps=steps,
                                 run=run)
            at = words.index("--data")
            del words[at:at + 2]
            mix = [entry.format(a=self.fixture / "poisoned", b=self.fixture / "extra") for entry in entries]
            return chainrule(*words, "--mix", *mix, ranks=ranks, check=0)

        def taken(step):
            return {source["name"]: source["samples"] for source in self.state(step)["sources"]}

        # A stage at the end begins before it, by as many samples as were passed over.
        entries = ["a={a}:1", "b={b}:0", "b:3@200"]
        self.assertNotIn("will hold only", run(entries[:2], 200, ranks=2).err)
        passed_over = self.state(200)["samples_passed_over"]
        self.assertGreater(passed_over, 0)
        self.assertEqual(taken(200), {"a": 200 * BATCH + passed_over, "b": 0})
        whole = self.run_folder
        self.run_folder = self.folder / "staged"
        run(entries, 200)
        self.assertEqual(sum(taken(200).values()), 200 * BATCH + passed_over)
        self.assertAlmostEqual(taken(200)["b"], 0.75 * passed_over, delta=1)
        self.assertNotIn("will hold only", run(entries, 210, ranks=2).err)
        self.assertAlmostEqual(taken(210)["b"], 0.75 * (passed_over + 10 * BATCH), delta=1)
        # Weights that are given now hold from now on, close to the end as well.
        self.run_folder = whole
        self.assertNotIn("will hold only", run(["a={a}:1", "b={b}:3"], 205).err)
        self.assertAlmostEqual(taken(205)["b"], 0.75 * 5 * BATCH, delta=1)

    def test_batches_grow_by_steps_and_not_by_what_was_passed_over(self):
        rollback = [*self.outliers, "--max-skips", 0, "--on-divergence", "rollback", "--global-batch", 2 * BATCH,
                    "--batch-ramp", f"{BATCH}:{BATCH}:{250 * BATCH}", "--micro-batch", BATCH]
        self.run_poisoned(*rollback, ranks=2)
        lines = self.metrics()
        back = next(line["step"] for line in lines if "rolled_back" in line) - 1
        passed_over = self.state(self.STEPS)["samples_passed_over"]
        self.assertGreater(passed_over, 0)
        for line in lines:
            grown = max(0, line["step"] - 250) * BATCH
            self.assertEqual(line["samples"], line["step"] * BATCH + grown + (passed_over if line["step"] > back else 0))
        chainrule("verify-run", self.run_folder, "--from", back, "--steps", 25, check=0)
        whole = self.weights_hash()
        self.keep_checkpoints_up_to(back + 20)
        self.run_poisoned(*rollback, ranks=3)
        self.assertEqual(self.weights_hash(), whole)

    def test_the_same_place_again_is_the_end(self):
        for ranks in (None, 2):
            done = self.train("--learning-rate", 1000, "--clip-norm", 0, "--warmup-steps", 3, "--max-skips", 1,
                              "--checkpoint-every", 1, "--on-divergence", "rollback", run=self.folder / str(ranks),
                              ranks=ranks, steps=50, check=65)
            self.assertRegex(done.err, "also with other samples behind step|is not finite: that is not saved")

    def test_no_checkpoint(self):
        done = self.train("--learning-rate", 1000, "--clip-norm", 0, "--warmup-steps", 0, "--max-skips", 0,
                          "--checkpoint-every", 0, "--on-divergence", "rollback", steps=50, check=65)
        self.assertIn("and there is no checkpoint to go back to", done.err)


if __name__ == "__main__":
    unittest.main()
