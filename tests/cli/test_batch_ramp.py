"""`chainrule pretrain --batch-ramp`: steps of fewer sequences at first."""
import itertools
import json
import shutil
import unittest

from pretraining import PretrainTest
from program import chainrule

RAMP = ["--batch-ramp", "4:4:60"]
STEPS = 12


def sizes(whole=16, start=4, increment=4, samples=60):
    """Of steps, as a loop over them has them."""
    taken, increments = 0, (whole - start) // increment
    while True:
        size = whole if taken >= samples else start + taken * increments // samples * increment
        yield size
        taken += size


class BatchRampTest(PretrainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = cls.fixture / "whole"
        chainrule(*cls.whole_options(), check=0)

    @classmethod
    def whole_options(cls):
        return ["pretrain", "--data", str(cls.fixture / "pair"), "--run", str(cls.whole), "--model", "tiny", "--width", "128",
                "--sequence-length", "16", "--micro-batch", "2", "--global-batch", "16", "--steps", str(STEPS),
                "--checkpoint-every", "2", "--keep-checkpoints", "100", "--log-every", "1", *RAMP]

    def ramp(self, *more, **changes):
        return self.train(*RAMP, "--keep-checkpoints", 100, *more, **{"steps": STEPS, **changes})

    def test_sizes_of_steps(self):
        samples = [line["samples"] for line in self.metrics(self.whole)]
        self.assertEqual(samples, list(itertools.accumulate(itertools.islice(sizes(), STEPS))))
        self.assertEqual([after - before for before, after in zip([0, *samples], samples)][:6], [4, 4, 4, 4, 4, 8])
        self.assertEqual([line["tokens"] for line in self.metrics(self.whole)], [16 * each for each in samples])

    def test_the_same_bits_on_any_number_of_ranks_and_after_stops(self):
        losses = [line["loss"] for line in self.metrics(self.whole)]
        for ranks in (2, 3, 8):
            self.ramp(ranks=ranks, run=self.folder / f"on-{ranks}")
            self.assertEqual(self.weights_hash(self.folder / f"on-{ranks}"), self.weights_hash(self.whole))
        shutil.copytree(self.whole, self.run_folder)
        for step, ranks in ((4, 2), (6, 3), (10, 1)):  # before, in and behind the ramp's growth
            self.keep_checkpoints_up_to(step)
            said = self.ramp(ranks=ranks).err
            self.assertIn(f"going on from step {step}", said)
            self.assertEqual(self.weights_hash(), self.weights_hash(self.whole))
            self.assertEqual([line["loss"] for line in self.metrics()], losses)

    def test_a_run_keeps_its_ramp(self):
        shutil.copytree(self.whole, self.run_folder)
        for other in (["--batch-ramp", "4:4:61"], []):
            said = self.train(*other, "--keep-checkpoints", 100, steps=STEPS, check=64).err
            self.assertIn("'--batch-ramp'", said)

    def mixed(self, *mix, ranks=None):
        """Samples of each source in the end."""
        words = self.options(*RAMP, "--keep-checkpoints", 100, steps=STEPS)
        at = words.index("--data")
        chainrule(*words[:at], *words[at + 2:], *(word for entry in mix for word in ("--mix", entry)), ranks=ranks, check=0)
        state = json.loads((self.checkpoint(STEPS) / "state.json").read_text())
        return {source["name"]: source["samples"] for source in state["sources"]}

    def test_a_mix_is_exact_by_samples(self):
        a, b = f"a={self.fixture / 'pair'}", f"b={self.fixture / 'pair'}"
        taken = [0, *itertools.accumulate(itertools.islice(sizes(), STEPS))]
        counts = self.mixed(f"{a}:3", f"{b}:1", "a:1@6")
        self.assertEqual(sum(counts.values()), taken[-1])
        self.assertLess(abs(counts["b"] - (taken[6] / 4 + (taken[-1] - taken[6]) / 2)), 1.5)
        loss = self.metrics()[-1]["loss"]
        self.keep_checkpoints_up_to(4)
        self.assertEqual(self.mixed(f"{a}:3", f"{b}:1", "a:1@6", ranks=2), counts)
        self.assertEqual(self.metrics()[-1]["loss"], loss)
        self.keep_checkpoints_up_to(8)
        counts = self.mixed(f"{a}:1", f"{b}:3")  # which holds from there on
        expected = taken[6] / 4 + (taken[8] - taken[6]) / 2 + (taken[-1] - taken[8]) * 3 / 4
        self.assertLess(abs(counts["b"] - expected), 2.5)

    def test_verify_run(self):
        said = chainrule("verify-run", self.whole, "--from", 4, "--steps", 6, check=0).out
        self.assertIn("steps 5 to 10 are those of the run", said)

    def test_the_plan_counts_the_ramp(self):
        said = chainrule(*self.options(*RAMP, steps=STEPS), "--dry-run", check=0)
        tokens = 16 * sum(itertools.islice(sizes(), STEPS))
        self.assertRegex(said.out + said.err, rf"tokens in all +{tokens:,}\n")
        self.assertRegex(said.out, r"tokens per step +64 to 256\n")
        for steps, per_step in ((5, "64"), (6, "64 to 128")):  # the run ends before the ramp does
            said = chainrule(*self.options(*RAMP, steps=steps, run=self.folder / "planned"), "--dry-run", check=0)
            self.assertRegex(said.out, rf"tokens per step +{per_step}\n")

    def test_the_opening_line_says_how_batches_grow(self):
        said = self.ramp().err
        self.assertIn(" lanes, 64 to 256 tokens a step\n", said)
        self.keep_checkpoints_up_to(6)
        self.assertIn(" lanes, 128 to 256 tokens a step\n", self.ramp().err)
        self.keep_checkpoints_up_to(10)
        self.assertIn(" lanes, 256 tokens a step\n", self.ramp().err)

    def test_refused(self):
        for ramp, why in (("4", "START:INCREMENT:SAMPLES"), ("4:4", "START:INCREMENT:SAMPLES"),
                          ("4:4:x", "START:INCREMENT:SAMPLES"), ("4:4:1.5", "START:INCREMENT:SAMPLES"),
                          ("3:4:60", "a START that is a multiple of --micro-batch 2, not 3"),
                          ("0:4:60", "not 0"), ("4:-4:60", "an INCREMENT"), ("4:3:60", "not 3"),
                          ("4:8:60", "must reach --global-batch 16 from 4 by steps of 8"),
                          ("16:4:60", "must reach --global-batch 16"), ("20:4:60", "must reach --global-batch 16"),
                          ("4:4:0", "at least 1"), (f"4:4:{2**63 - 1}", "at most 2^62 SAMPLES"),
                          ("4:4:99999999999999999999", "START:INCREMENT:SAMPLES")):
            with self.subTest(ramp):
                said = self.train("--batch-ramp", ramp, check=64).err
                self.assertIn("'--batch-ramp'", said)
                self.assertIn(why, said)


if __name__ == "__main__":
    unittest.main()
