"""`chainrule pretrain --tensorboard`: what it writes for TensorBoard says what metrics.jsonl says."""
import math
import shutil
import struct
import unittest

from pretraining import PretrainTest
from tensorboard_events import events


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


class Tensorboard(PretrainTest):
    def train_with_events(self, *more, **changes):
        return self.train("--tensorboard", "true", *more, **changes)

    def options(self, *more, **changes):
        words = super().options(*more, **changes)
        if "--tensorboard" in words:
            at = words.index("--tensorboard")
            del words[at + 1]  # a switch has no value
        return words

    def files(self):
        return sorted((self.run_folder / "tensorboard").iterdir())

    def assert_says_what_metrics_say(self, told, lines):
        self.assertEqual([step for step, _ in told], [line["step"] for line in lines])
        for (step, scalars), line in zip(told, lines, strict=True):
            names = {"loss", "tokens_per_second", "learning_rate", "gradient_norm"} | ({"validation_loss"} & line.keys())
            self.assertEqual(scalars.keys() & (names | {"validation_loss"}), names)
            for name in names:
                self.assertEqual(scalars[name], float32(line[name]), f"{name} of step {step}")

    def test_every_step_is_there(self):
        self.train_with_events("--validate-every", 2, ranks=2)
        (file,) = self.files()
        self.assertRegex(file.name, r"^events\.out\.tfevents\.\d{10}\.")
        (zero, version), *told = events(file)
        self.assertEqual((zero, version), (0, ("version", "brain.Event:2")))
        self.assertIn("validation_loss", told[1][1])
        self.assert_says_what_metrics_say(told, self.metrics())

    def test_a_run_that_goes_on_begins_a_file_that_voids_what_it_takes_again(self):
        self.train_with_events(steps=6, *["--schedule", "constant", "--warmup-steps", 0])
        before = self.files()
        self.keep_checkpoints_up_to(4)
        self.train_with_events(steps=8, *["--schedule", "constant", "--warmup-steps", 0])
        first, second = self.files()
        self.assertEqual([first], before)
        _, start, *told = events(second)
        self.assertEqual(start, (5, "start"))
        self.assert_says_what_metrics_say(told, self.metrics()[4:])

    def test_so_does_one_that_begins_anew(self):
        """Where its checkpoints are gone, or it was killed before the first one."""
        self.train_with_events(steps=6)
        shutil.rmtree(self.run_folder / "checkpoints")
        self.train_with_events(steps=6)
        first, second = self.files()
        self.assertEqual([each for each in events(first) if each[1] == "start"], [])
        _, start, *told = events(second)
        self.assertEqual(start, (1, "start"))
        self.assert_says_what_metrics_say(told, self.metrics())

    def test_it_may_be_asked_for_later_and_changes_no_bit(self):
        self.train(steps=4, *["--schedule", "constant", "--warmup-steps", 0])
        self.assertFalse((self.run_folder / "tensorboard").exists())
        self.train_with_events(steps=6, *["--schedule", "constant", "--warmup-steps", 0])
        self.assertEqual(list(events(self.files()[0]))[1], (5, "start"))
        whole = self.folder / "whole"
        self.train(steps=6, run=whole, *["--schedule", "constant", "--warmup-steps", 0])
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))

    def test_a_step_that_is_passed_over_has_no_gradient(self):
        self.train_with_events("--learning-rate", "1000", "--clip-norm", 0, "--weight-decay", 0.1, "--max-skips", 4,
                               "--checkpoint-every", 0, steps=50, check=65)
        _, *told = events(self.files()[0])
        lines = self.metrics()
        skipped = {line["step"] for line in lines if "skipped" in line}
        self.assertEqual(len(skipped), 4)
        for (step, scalars), line in zip(told, lines, strict=True):
            self.assertEqual("gradient_norm" in scalars, step not in skipped)
            self.assertEqual(math.isnan(scalars["loss"]), line["loss"] is None)


if __name__ == "__main__":
    unittest.main()
