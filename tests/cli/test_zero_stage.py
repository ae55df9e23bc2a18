"""`chainrule pretrain --zero-stage 2`: sums of gradients divided over ranks."""
import shutil
import unittest

from pretraining import PretrainTest
from program import chainrule

# 18 micro-batches in 8 lanes: two whole rounds, and one of two.
BATCH = ["--micro-batch", 2, "--global-batch", 36]
STAGE = [*BATCH, "--zero-stage", 2]


class ZeroStageTest(PretrainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = cls.fixture / "whole"
        case = cls()
        case.run_folder = cls.whole
        case.train(*STAGE)

    def losses(self, run=None):
        return [line["loss"] for line in self.metrics(run)]

    def test_the_same_bits_on_any_number_of_ranks(self):
        for ranks in (2, 3, 8):
            run = self.folder / f"on-{ranks}"
            self.train(*STAGE, ranks=ranks, run=run)
            self.assertEqual(self.weights_hash(run), self.weights_hash(self.whole))
            self.assertEqual(self.losses(run), self.losses(self.whole))
            model = [(self.checkpoint(6, each) / "model.h5").read_bytes() for each in (run, self.whole)]
            self.assertEqual(*model)

    def test_goes_on_where_it_stopped_on_other_ranks(self):
        for ranks, others in ((1, 3), (8, 2)):
            run = self.folder / f"from-{ranks}"
            self.run_folder = run
            self.train(*STAGE, ranks=ranks)
            self.keep_checkpoints_up_to(4)
            self.assertIn("going on from step 4", self.train(*STAGE, ranks=others).err)
            self.assertEqual(self.weights_hash(), self.weights_hash(self.whole))
            self.assertEqual(self.losses(), self.losses(self.whole))

    def test_is_stage_1_where_each_lane_has_one_micro_batch(self):
        for batch, same in ((16, True), (32, False)):
            hashes = []
            for stage in (1, 2):
                run = self.folder / f"{batch}-{stage}"
                self.train("--global-batch", batch, "--zero-stage", stage, ranks=2, run=run, steps=2)
                hashes.append(self.weights_hash(run))
            self.assertEqual(hashes[0] == hashes[1], same, batch)

    def test_fewer_micro_batches_than_ranks(self):
        for ranks in (1, 5):
            self.train("--global-batch", 6, "--zero-stage", 2, ranks=ranks, run=self.folder / f"on-{ranks}", steps=3)
        self.assertEqual(self.weights_hash(self.folder / "on-1"), self.weights_hash(self.folder / "on-5"))

    def test_with_other_options(self):
        (self.folder / "more.cfg").write_text("skip-outliers = yes\n")
        more = ["--batch-ramp", "4:4:60", "--average", "ema:0.9", "--z-loss", 1e-3, "--recompute", "full",
                "--keep-checkpoints", 9, "--config", self.folder / "more.cfg"]
        runs = [self.folder / f"on-{ranks}" for ranks in (1, 3)]
        for ranks, run in zip((1, 3), runs):
            self.train(*STAGE, *more, ranks=ranks, run=run, steps=10)
        self.assertEqual(*(self.weights_hash(run) for run in runs))
        chainrule("verify-run", runs[0], "--from", 4, "--steps", 4, ranks=2, check=0)

    def test_goes_back_over_a_divergence(self):
        (self.folder / "more.cfg").write_text("skip-outliers = yes\n")
        runs = [self.folder / f"on-{ranks}" for ranks in (1, 3)]
        for ranks, run in zip((1, 3), runs):
            self.train("--zero-stage", 2, "--micro-batch", 1, "--global-batch", 2, "--learning-rate", 1e-3, "--max-skips", 0,
                       "--on-divergence", "rollback", "--checkpoint-every", 20, "--log-every", 1000,
                       "--config", self.folder / "more.cfg", data="poisoned", steps=200, ranks=ranks, run=run)
            self.assertTrue(any("rolled_back" in line for line in self.metrics(run)))
        self.assertEqual(*(self.weights_hash(run) for run in runs))

    def test_a_run_keeps_its_stage(self):
        shutil.copytree(self.whole, self.run_folder)
        said = self.train(*BATCH, check=64).err
        self.assertIn("option '--zero-stage' is '2' in this run and not set now", said)
        self.train(*BATCH, run=self.folder / "first")
        self.assertNotIn("zero-stage", (self.folder / "first" / "config.cfg").read_text())
        said = self.train(*STAGE, run=self.folder / "first", check=64).err
        self.assertIn("option '--zero-stage' is not set in this run and '2' now", said)

    def test_other_stages_are_refused(self):
        self.assertIn("--zero-stage '3' is neither 1 nor 2", self.train(*BATCH, "--zero-stage", 3, check=64).err)

    def test_dry_run_tells_less_memory(self):
        def gradients(stage, ranks):
            words = self.options("--global-batch", 64, "--zero-stage", stage, "--model", "gpt2-124m", "--width", 768)
            done = chainrule(*words, "--dry-run", ranks=ranks, check=0)
            return float(next(line.split()[1] for line in done.out.splitlines() if line.split()[:1] == ["gradients"]))
        self.assertLess(gradients(2, 4), 0.6 * gradients(1, 4))
        self.assertLess(gradients(2, 4), gradients(2, 2))


if __name__ == "__main__":
    unittest.main()
