"""Averages of weights: the one that `chainrule pretrain --average` keeps, the means of checkpoints, and what reads them."""
import array
import json
import shutil
import unittest

from pretraining import PretrainTest, flip_bit
from program import chainrule
from refusals import Refusals

DECAY = 0.75
STEPS = 6


class Average(Refusals, PretrainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = cls.fixture / "whole"
        chainrule(*cls.options(cls, *cls.KEEP, "--average", f"ema:{DECAY}", run=cls.whole, steps=STEPS), check=0)

    KEEP = ["--checkpoint-every", 1, "--keep-checkpoints", 20]

    def inspect(self, model, check=0):
        return json.loads(chainrule("inspect", model, "--json", check=check).out)

    def convert(self, model, format, name):
        output = self.folder / name
        chainrule("convert", "--model", model, "--format", format, "--output", output, check=0)
        return output

    def values(self, model):
        """Of a model's tensors, by name, as Hugging Face's F32."""
        folder = self.convert(model, "hugging-face", f"values {len(list(self.folder.iterdir()))}")
        content = (folder / "model.safetensors").read_bytes()
        header = int.from_bytes(content[:8], "little")
        tensors = {}
        for name, tensor in json.loads(content[8:8 + header]).items():
            if name == "__metadata__":
                continue
            begin, end = tensor["data_offsets"]
            tensors[name] = array.array("f", content[8 + header + begin:8 + header + end])
        return tensors

    def report(self, model, name="report", ranks=None):
        chainrule("evaluate", "--model", model, "--data", self.fixture / "pair" / "held-out", "--report",
                  self.folder / name, ranks=ranks, check=0)
        return json.loads((self.folder / name / "report.json").read_text())

    def initial_weights(self):
        run = self.folder / "initial"
        self.train("--learning-rate", 0, run=run, steps=1)
        return self.values(run)

    def test_follows_its_formula_over_the_weights_of_all_steps(self):
        average = self.initial_weights()
        exact = {name: list(values) for name, values in average.items()}
        for step in range(1, STEPS + 1):
            for name, values in self.values(self.checkpoint(step, self.whole)).items():
                exact[name] = [DECAY * before + (1 - DECAY) * now for before, now in zip(exact[name], values)]
            found = self.values(self.checkpoint(step, self.whole) / "average")
            self.assertEqual(found.keys(), exact.keys())
            for name, values in found.items():
                worst = max(abs(a - b) - 4 * 2 ** -24 * abs(b) for a, b in zip(values, exact[name]))
                self.assertLess(worst, 1e-9, f"{name} at step {step}")

    def test_same_bits_on_any_number_of_ranks_and_after_any_stop(self):
        expected = {step: self.inspect(self.checkpoint(step, self.whole) / "average") for step in range(1, STEPS + 1)}
        self.assertEqual(len({each["weights_hash"] for each in expected.values()}), STEPS)
        options = [*self.KEEP, "--average", f"ema:{DECAY}"]
        for name, more, legs in (("three", [], [(3, STEPS)]), ("sync", ["--checkpoint-mode", "sync"], [(2, STEPS)]),
                                 ("legs", [], [(2, 2), (3, 4), (1, STEPS)])):
            run = self.folder / name
            for ranks, steps in legs:
                # As if it had been killed behind its checkpoint of that step.
                self.train(*options, *more, run=run, ranks=ranks)
                for later in range(steps + 1, STEPS + 1):
                    shutil.rmtree(self.checkpoint(later, run))
            for step, each in expected.items():
                found = self.inspect(self.checkpoint(step, run) / "average")
                self.assertEqual(found["weights_hash"], each["weights_hash"], f"{name}, step {step}")
                self.assertEqual(found["average"], f"ema:{DECAY}")
            self.assertEqual(self.weights_hash(run), self.weights_hash(self.whole))

    def test_leaves_the_rest_of_a_run_as_it_is(self):
        self.train(*self.KEEP)
        for step in range(1, STEPS + 1):
            plain, beside = self.checkpoint(step), self.checkpoint(step, self.whole)
            self.assertEqual({path.name for path in beside.iterdir()} - {path.name for path in plain.iterdir()},
                             {"average-00000.h5"})
            for name in ("model.h5", "optimizer-00000.h5", "tokenizer.json"):
                self.assertEqual((plain / name).read_bytes(), (beside / name).read_bytes(), name)
            self.assertNotIn("average", (plain / "model.json").read_text())
        without, beside = ([line["loss"] for line in self.metrics(run)] for run in (None, self.whole))
        self.assertEqual(without, beside)

    def test_evaluation_is_that_of_a_model_averaged_by_hand(self):
        steps = (2, 4, 5)
        sums = None
        for step in steps:
            values = self.values(self.checkpoint(step, self.whole))
            sums = values if sums is None else {name: [a + b for a, b in zip(sums[name], values[name])] for name in sums}
        by_hand = self.convert(self.whole, "hugging-face", "by hand")
        file = by_hand / "model.safetensors"
        content = bytearray(file.read_bytes())
        header = int.from_bytes(content[:8], "little")
        for name, tensor in json.loads(content[8:8 + header]).items():
            if name != "__metadata__":
                begin, end = (8 + header + at for at in tensor["data_offsets"])
                content[begin:end] = array.array("f", [value / len(steps) for value in sums[name]]).tobytes()
        file.write_bytes(content)
        expected = self.report(self.convert(by_hand, "checkpoint", "checkpoint by hand"), "expected")
        self.assertNotIn("average", expected)
        run = self.folder / "three of them"
        shutil.copytree(self.whole, run)
        for step in {1, 3, 6}:
            shutil.rmtree(self.checkpoint(step, run))
        for number, (model, ranks) in enumerate(((self.whole / "mean:2,4,5", None), (run / "last:3", 3))):
            found = self.report(model, f"report {number}", ranks=ranks)
            self.assertEqual(found.pop("average"), "mean:2,4,5")
            self.assertEqual({**found, "step": 0}, {**expected, "step": 0})

    def test_every_command_takes_it(self):
        model = self.whole / "average"
        average = self.inspect(model)
        self.assertEqual((average["kind"], average["step"]), ("average of weights", STEPS))
        self.assertNotEqual(average["weights_hash"], self.inspect(self.checkpoint(STEPS, self.whole))["weights_hash"])
        self.assertEqual(self.inspect(self.checkpoint(STEPS, self.whole))["average"], f"ema:{DECAY}")
        copy = self.convert(model, "checkpoint", "copy")
        self.assertEqual(self.inspect(copy)["weights_hash"], average["weights_hash"])
        reports = [self.report(model), self.report(copy, "of copy", ranks=2)]
        self.assertEqual(reports[0].pop("average"), f"ema:{DECAY}")
        self.assertEqual(*({**each, "step": 0} for each in reports))
        self.assertEqual(self.inspect(self.folder / "report")["average"], f"ema:{DECAY}")
        table = chainrule("evaluate", "--model", self.whole / "last:2", "--baseline", model, "--data",
                          self.fixture / "pair" / "held-out", "--report", self.folder / "beside", check=0).out
        self.assertIn(f"the weights are an average: mean:{STEPS - 1},{STEPS}", table)
        beside = json.loads((self.folder / "beside" / "report.json").read_text())
        self.assertEqual(beside["baseline"]["weights_hash"], average["weights_hash"])
        chainrule("evaluate", "--model", model, "--data", self.fixture / "pair" / "held-out", "--report",
                  self.folder / "written", "--protocol", "lm-eval", "--write", "lm-eval", check=0)
        names = {path.name for path in (self.folder / "written" / "lm-eval").iterdir()}
        self.assertEqual(names, {"whole-average"})
        for words in (["score", "--text", "ab"], ["next", "--text", "ab"]):
            said = json.loads(chainrule(*words, "--model", model, "--json", check=0).out)["model"]
            self.assertEqual((said["average"], said["weights_hash"]), (f"ema:{DECAY}", average["weights_hash"]))
        for ranks in (None, 2):
            chainrule("generate", "--model", model, "--prompt", "ab", "--max-tokens", 2, ranks=ranks, check=0)
        run = self.folder / "from it"
        self.train("--init", model, "--learning-rate", 0, "--average", "ema:0.5", run=run, steps=1, ranks=2)
        self.assertEqual(self.weights_hash(run), average["weights_hash"])
        self.assertEqual(self.inspect(run / "average")["weights_hash"], average["weights_hash"])

    def options(self, *more, **changes):
        words = PretrainTest.options(self, *more, **changes)
        if "--init" in words:  # which has the shape
            for name in ("--model", "--width"):
                at = words.index(name)
                del words[at:at + 2]
        return words

    def test_a_stopped_evaluation_is_of_one_of_them(self):
        """What was scored with the weights is not gone on with by the average."""
        held_out = self.fixture / "pair" / "held-out"
        for part, model, code in ((1, self.whole, 0), (2, self.whole / "average", 0)):
            chainrule("evaluate", "--model", model, "--data", held_out, "--report", self.folder / "r", "--part",
                      f"{part}/2", check=code)
        done = chainrule("report", "merge", "--report", self.folder / "r", *sorted(self.folder.glob("r.part-*")))
        self.assert_refused(done, 65, "weights")

    def test_damage(self):
        run = self.folder / "damaged"
        shutil.copytree(self.whole, run)
        last = self.checkpoint(STEPS, run)
        flip_bit(last / "average-00000.h5")
        done = chainrule("inspect", last, check=65)
        self.assertIn("average-00000.h5", done.err)
        self.assertIn("average-00000.h5", chainrule("inspect", last / "average", check=65).err)
        done = chainrule("inspect", run / "average", "--json", check=0)
        self.assertIn(f"passing over step {STEPS}", done.err)
        self.assertEqual(json.loads(done.out)["step"], STEPS - 1)
        done = self.train(*self.KEEP, "--average", f"ema:{DECAY}", run=run, ranks=2)
        self.assertIn(f"going on from step {STEPS - 1}", done.err)
        self.assertEqual(self.inspect(run / "average")["weights_hash"],
                         self.inspect(self.whole / "average")["weights_hash"])

    def test_switched_on_it_begins_there_and_then_stays(self):
        self.train(*self.KEEP)
        self.keep_checkpoints_up_to(4)
        self.train(*self.KEEP, "--average", "ema:0.5", ranks=2)
        weights = {step: self.values(self.checkpoint(step)) for step in (4, 5)}
        for name, values in self.values(self.checkpoint(5) / "average").items():
            exact = array.array("f", [0.5 * a + 0.5 * b for a, b in zip(weights[4][name], weights[5][name])])
            self.assertEqual(values, exact, name)
        self.keep_checkpoints_up_to(5)
        for more in ([], ["--average", "ema:0.75"]):
            done = self.train(*self.KEEP, *more, check=None)
            self.assert_refused(done, 64, "option '--average' is ema:0.5 in")
        self.keep_checkpoints_up_to(4)  # which keeps none: it may be as it likes
        self.train(*self.KEEP)
        self.assertFalse(list(self.checkpoint(6).glob("average-*")))

    def test_config_goes_back_in(self):
        done = self.train("--config", self.whole / "config.cfg", *self.KEEP, run=self.folder / "again")
        self.assertIn(f"finished {STEPS} steps", done.err)
        self.assertEqual(self.inspect(self.folder / "again" / "average")["weights_hash"],
                         self.inspect(self.whole / "average")["weights_hash"])

    def test_branches(self):
        trunk = self.folder / "trunk"
        stable = ["--schedule", "constant", "--average", "ema:0.5"]
        self.train(*stable, run=trunk, steps=4)
        plan = self.folder / "plan"
        self.train("--schedule", "warmup-stable-decay", "--decay-steps", 2, "--warmup-steps", 0, "--average", "ema:0.5",
                   "--checkpoint-every", 0, run=plan, steps=6)

        def branch(name, *more, check=0, **rest):
            words = self.options("--init", trunk, "--decay-steps", 2, *more, run=self.folder / name)
            at = words.index("--steps")
            del words[at:at + 2]
            return chainrule(*words, "--decay-now", check=check, **rest)

        branch("carried on", "--average", "ema:0.5", ranks=2)
        self.assertEqual(self.inspect(self.folder / "carried on" / "average")["weights_hash"],
                         self.inspect(plan / "average")["weights_hash"])
        branch("without")
        self.assertEqual(self.weights_hash(self.folder / "without"), self.weights_hash(self.folder / "carried on"))
        self.assertFalse(list(self.checkpoint(6, self.folder / "without").glob("average-*")))
        self.assert_refused(branch("other", "--average", "ema:0.9", check=None), 64, "option '--average' is ema:0.5 in")

    def test_verify_run_compares_it(self):
        for ranks in (None, 3):
            done = chainrule("verify-run", self.whole, "--from", 2, "--steps", 4, ranks=ranks, check=0)
            self.assertIn("4 hashes of the weights, their average in 4 checkpoints", done.out)
        run = self.folder / "changed"
        shutil.copytree(self.whole, run)
        other = self.folder / "other"
        self.train(*self.KEEP, "--average", "ema:0.5", run=other)
        shutil.rmtree(self.checkpoint(4, run))
        shutil.copytree(self.checkpoint(4, other), self.checkpoint(4, run))
        for ranks in (None, 2):
            done = chainrule("verify-run", run, "--from", 2, "--steps", 3, ranks=ranks, check=65)
            self.assertIn("step 4 is not that of the run: its weights' average is not what", done.err)

    def test_dry_run_counts_it(self):
        plain, beside = (chainrule(*self.options("--checkpoint-mode", "sync", *more), "--dry-run", check=0).out.splitlines()
                         for more in ([], ["--average", "ema:0.5"]))
        added = [line for line in beside if line not in plain]
        self.assertEqual([line.split()[0] for line in added], ["average", "together"])

    def test_refusals(self):
        run = self.folder / "run"
        for text in ("ema:0", "ema:1", "ema:-0.5", "ema:nan", "ema:0.9x", "ema:", "0.9", "swa"):
            for ranks in (None, 2):
                self.assert_refused(self.train("--average", text, ranks=ranks, check=None), 64, "option '--average'")
        self.assert_refused(self.train("--average", "last:3", check=None), 64, "--keep-checkpoints", "RUN/last:K")
        self.assertFalse(run.exists())
        self.train()
        data = self.fixture / "pair" / "held-out"
        for name, code, said in (("average", 66, "keeps no average of its weights"), ("last:3", 66, "has 2 that are"),
                                 ("last:0", 64, "last:K is"), ("last:x", 64, "last:K is"), ("mean:6,4", 64, "mean:STEP"),
                                 ("mean:2,4", 66, "step-00000002"), ("averag", 66, "no model at")):
            for ranks in (None, 2):
                done = chainrule("evaluate", "--model", run / name, "--data", data, "--report", self.folder / "report",
                                 ranks=ranks)
                self.assert_refused(done, code, said)
                self.assertFalse((self.folder / "report").exists())


if __name__ == "__main__":
    unittest.main()
