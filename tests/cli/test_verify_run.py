"""`chainrule verify-run`: steps of a run taken once more are the same in every bit, or it says which differs in what."""
import json
import shutil
import struct
import unittest

from pretraining import PretrainTest, flip_bit
from program import chainrule


class VerifyRun(PretrainTest):
    def verify(self, *words, ranks=None, check=0, run=None):
        return chainrule("verify-run", run or self.run_folder, *words, ranks=ranks, check=check)

    def change_line(self, step, **values):
        log = self.run_folder / "metrics.jsonl"
        lines = self.metrics()
        lines[step - 1].update(values)
        log.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def test_the_same_steps_on_any_number_of_ranks(self):
        self.train("--keep-checkpoints", 9, steps=8, ranks=2)
        before = {path: path.stat().st_mtime_ns for path in self.run_folder.rglob("*")}
        for ranks in (None, 2, 3):
            for start, steps, hashes in ((2, 6, "3 hashes"), (4, 3, "1 hash"), (6, 1, "0 hashes")):
                done = self.verify("--from", start, "--steps", steps, ranks=ranks)
                self.assertIn(f"steps {start + 1} to {start + steps} are those of the run, in every bit", done.out)
                self.assertIn(hashes, done.out)
        self.assertEqual({path: path.stat().st_mtime_ns for path in self.run_folder.rglob("*")}, before)

    def test_what_differs_is_named(self):
        self.train("--keep-checkpoints", 9)
        saved = (self.run_folder / "metrics.jsonl").read_text()
        loss = self.metrics()[3]["loss"]
        for step, changed, said in (
                (4, {"loss": loss * (1 + 2 ** -52)}, "step 4 is not that of the run: loss is "),
                (5, {"gradient_norm": None}, "step 5 is not that of the run: gradient_norm is null"),
                (6, {"weights_hash": "0" * 32}, "step 6 is not that of the run: weights_hash is '0000"),
                (3, {"samples": 50}, "step 3 is not that of the run: samples is 50"),
                (3, {"skipped": "it rained"}, "skipped is 'it rained' in metrics.jsonl and '' now")):
            self.change_line(step, **changed)
            for ranks in (None, 2):
                self.assertIn(said, self.verify("--from", 2, "--steps", 4, ranks=ranks, check=65).err)
            (self.run_folder / "metrics.jsonl").write_text(saved)
        config = self.run_folder / "config.cfg"
        text = config.read_text()
        config.write_text(text.replace("beta1 = 0.9", "beta1 = 0.8"))
        self.assertIn("step 4 is not that of the run", self.verify("--from", 2, "--steps", 2, check=65).err)

    def test_refusals(self):
        self.train("--keep-checkpoints", 9)
        for code, words, said in ((66, ["--from", 3, "--steps", 1], "no checkpoint of step 3; there are 2, 4, 6"),
                                  (64, ["--from", 4, "--steps", 3], "has 2 of the steps 5 to 7, and ends at step 6"),
                                  (64, ["--from", 4, "--steps", 0], "steps"), (64, ["--from", 4], "steps"),
                                  (66, ["--from", 4, "--steps", 1, "--data", self.fixture / "nowhere"], "nowhere"),
                                  (64, ["--from", 4, "--steps", 1, "--data", self.fixture / "extra"], "fingerprint")):
            for ranks in (None, 2):
                self.assertIn(said, self.verify(*words, ranks=ranks, check=code).err)
        flip_bit(self.checkpoint(2) / "model.h5")
        self.assertIn("model.h5", self.verify("--from", 2, "--steps", 1, check=65).err)
        self.assertTrue(self.checkpoint(2).exists())
        self.assertEqual(self.verify("--from", 2, "--steps", 1, run=self.folder / "none", check=None).returncode, 66)

    def test_moved_data_and_mixes(self):
        pair = self.folder / "moved"
        shutil.copytree(self.fixture / "pair", pair)
        self.train("--keep-checkpoints", 9, "--data", pair, "--schedule", "constant")
        shutil.move(pair, self.folder / "elsewhere")
        self.verify("--from", 2, "--steps", 2, check=66)
        self.verify("--from", 2, "--steps", 2, "--data", self.folder / "elsewhere")
        options = self.options("--checkpoint-every", 3, "--keep-checkpoints", 9, run=self.folder / "mixed", steps=9)
        at = options.index("--data")
        options[at:at + 2] = ["--mix", f"a={self.fixture}/pair:0.7", f"b={self.fixture}/extra:0.3", "b:2@4"]
        chainrule(*options, "--max-epochs", 100, check=0)
        for ranks in (None, 2):
            self.verify("--from", 3, "--steps", 6, run=self.folder / "mixed", ranks=ranks)

    def test_validation_data_need_not_be_there(self):
        """Also where a tokenizer was named for them alone."""
        held_out = self.folder / "val"
        shutil.copytree(self.fixture / "pair/held-out", held_out)
        self.train("--keep-checkpoints", 9, "--validation-data", held_out, "--validate-every", 2, data="pair/train")
        tokens = held_out / "tokens.bin"  # as llm.c has them
        tokens.write_bytes(struct.pack("<256i", 20240520, 1, 100, *[0] * 253) + struct.pack("<100H", *range(100)))
        self.train("--keep-checkpoints", 9, "--validation-data", tokens, "--validate-every", 2, "--tokenizer",
                   self.fixture / "pair/train/tokenizer.json", data="pair/train", run=self.folder / "named")
        options = self.options("--keep-checkpoints", 9, "--validate-every", 2, run=self.folder / "mixed")
        at = options.index("--data")
        options[at:at + 2] = ["--mix", f"a={self.fixture}/pair:0.7", f"b={self.fixture}/extra:0.3", "--mix-validation",
                              f"b={held_out}"]
        chainrule(*options, "--max-epochs", 100, check=0)
        shutil.rmtree(held_out)
        for ranks in (None, 2):
            for run in (self.run_folder, self.folder / "named", self.folder / "mixed"):
                self.verify("--from", 2, "--steps", 4, run=run, ranks=ranks)


if __name__ == "__main__":
    unittest.main()
