"""`chainrule pretrain --init`: goes on from models of chainrule and of other systems."""
import json
import shutil
import unittest

from program import chainrule
from refusals import Refusals
from text_model import TextModelTest

LLAMA = ["--model", "llama-110m", "--layers", 2, "--heads", 4, "--key-value-heads", 2, "--width", 32,
         "--feed-forward-width", 48, "--sequence-length", 64]


class Init(Refusals, TextModelTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.train(cls.home / "run llama", *LLAMA)
        cls.sources = {"checkpoint": cls.home / "run llama", "gpt2": cls.run_directory}
        for name, model, format in (("hf", "run llama", "hugging-face"), ("hf gpt2", "run", "hugging-face"),
                                    ("llmc.bin", "run", "llm.c")):
            chainrule("convert", "--model", cls.home / model, "--format", format, "--output", cls.home / name, check=0)
            cls.sources[name] = cls.home / name

    @classmethod
    def train(cls, run, *more, steps=2, ranks=None, check=0):
        return chainrule("pretrain", "--data", cls.home / "data", "--run", run, "--micro-batch", 2, "--global-batch", 8,
                         "--steps", steps, "--validate-every", 1, "--validation-data", cls.home / "data", "--threads", 1,
                         *more, ranks=ranks, check=check)

    def weights_hash(self, run):
        return json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["weights_hash"]

    def saved(self, run):
        return json.loads((max((run / "checkpoints").iterdir()) / "model.json").read_text())

    def test_no_step_leaves_the_weights(self):
        """At learning rate 0: the weights are those of the model, and validation is its evaluation."""
        for name, source in self.sources.items():
            run = self.folder / f"from {name}"
            self.train(run, "--init", source, "--learning-rate", 0, "--validation-tokens", 10**6, steps=1)
            ours = self.home / ("run llama" if name in ("checkpoint", "hf") else "run")
            self.assertEqual(self.saved(run)["weights_hash"], self.saved(ours)["weights_hash"], name)
            chainrule("evaluate", "--model", source, "--data", self.home / "data", "--protocol", "packed", "--report",
                      run / "report", check=0)
            report = json.loads((run / "report" / "report.json").read_text())
            line = json.loads((run / "metrics.jsonl").read_text())
            self.assertAlmostEqual(line["validation_loss"], report["cross_entropy_nats"], delta=1e-6, msg=name)

    def test_steps_are_the_same_bits_on_any_number_of_ranks(self):
        for source in ("hf", "llmc.bin"):
            hashes = set()
            for ranks in (1, 2):
                run = self.folder / f"{source} {ranks}"
                self.train(run, "--init", self.sources[source], ranks=ranks)
                hashes.add(self.weights_hash(run))
            ours = self.folder / f"{source} ours"
            self.train(ours, "--init", self.home / ("run llama" if source == "hf" else "run"))
            hashes.add(self.weights_hash(ours))
            self.assertEqual(len(hashes), 1, source)

    def test_goes_on_without_the_model(self):
        whole, parts = self.folder / "whole", self.folder / "parts"
        model = self.folder / "model"
        shutil.copytree(self.sources["hf"], model)
        common = ["--checkpoint-every", 1, "--keep-checkpoints", 3, "--warmup-steps", 0, "--sequence-length", 32]
        self.train(whole, "--init", model, *common, steps=3)
        shutil.copytree(whole, parts)
        shutil.rmtree(parts / "checkpoints" / "step-00000003")
        shutil.rmtree(parts / "checkpoints" / "step-00000002")
        shutil.rmtree(model)
        done = self.train(parts, *common, steps=3, ranks=2)
        self.assertIn("going on from step 1", done.err)
        self.assertEqual(self.weights_hash(parts), self.weights_hash(whole))
        self.assertIn(f'init = {model}', (parts / "config.cfg").read_text().replace('"', ""))
        for more in (["--init", self.sources["gpt2"]], ["--model", "tiny"]):
            self.assert_refused(self.train(parts, *common, *more, steps=3, check=64), 64, "option '--init' is ")
        self.assertEqual(self.saved(whole)["sequence_length"], 32)

    def test_refusals(self):
        run = self.folder / "run"
        for more, code, said in (
                (["--init", self.sources["hf"], "--model", "tiny"], 64, "--init"),
                (["--init", self.sources["hf"], "--layers", 3], 64, "--init"),
                (["--init", self.sources["hf"], "--query-key-norm"], 64, "--init"),
                (["--init", self.sources["hf"], "--sequence-length", 65], 64, "has 64 positions, not 65"),
                (["--init", self.sources["gpt2"], "--sequence-length", 32], 64, "has 64 learned positions"),
                (["--init", self.folder / "nothing"], 66, "no model at")):
            for ranks in (None, 2):
                self.assert_refused(self.train(run, *more, check=code, ranks=ranks), code, said)
                self.assertFalse(run.exists())
        chainrule("tokenizer", "train", "--input", self.home / "text", "--vocabulary-size", 290, "--output",
                  self.folder / "other.json", check=0)
        chainrule("pack", "--tokenizer", self.folder / "other.json", "--input", self.home / "text", "--output",
                  self.folder / "other", check=0)
        done = chainrule("pretrain", "--data", self.folder / "other", "--run", run, "--steps", 1, "--init",
                         self.sources["hf"])
        self.assert_refused(done, 65, "--init", "tokenizer")


if __name__ == "__main__":
    unittest.main()
