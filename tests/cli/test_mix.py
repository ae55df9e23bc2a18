"""`chainrule pretrain --mix`: sources in exact proportions, the same on any number of ranks, across stops and changes."""
import json
import math
import re
import shutil
import unittest

from checksums import seal_checkpoint
from pretraining import PretrainTest
from program import chainrule

BATCH = 16


class Mix(PretrainTest):
    def setUp(self):
        super().setUp()
        self.web = self.fixture / "pair"
        self.code = self.fixture / "extra"
        self.notes = self.fixture / "pair" / "held-out"

    def command(self, entries, *more, run=None, steps=6):
        """Entries name the data by a word: web, code, notes."""
        words = self.options(*more, run=run, steps=steps)
        at = words.index("--data")
        del words[at:at + 2]
        return [*words, "--mix", *[entry.format(web=self.web, code=self.code, notes=self.notes) for entry in entries]]

    def mix(self, entries, *more, ranks=None, check=0, **changes):
        return chainrule(*self.command(entries, *more, **changes), ranks=ranks, check=check)

    def state(self, step, run=None):
        return json.loads((self.checkpoint(step, run) / "state.json").read_text())

    def samples(self, step, run=None):
        return {source["name"]: source["samples"] for source in self.state(step, run)["sources"]}

    def configuration(self, run=None):
        lines = ((run or self.run_folder) / "config.cfg").read_text().splitlines()
        return [line.removeprefix("mix = ").replace(str(self.fixture), "") for line in lines if line.startswith("mix = ")]

    def test_proportions_hold_at_every_step_on_any_number_of_ranks(self):
        weights = {"code": 5, "notes": 0.2, "web": 1.3}
        entries = [f"{name}={{{name}}}:{weight}" for name, weight in weights.items()]
        every = ["--checkpoint-every", 1, "--keep-checkpoints", 9]
        hashes = set()
        for ranks in (None, 2, 3):
            run = self.folder / f"ranks {ranks}"
            order = entries if ranks is None else entries[::-1]
            self.mix(order, *every, run=run, ranks=ranks)
            hashes.add(self.weights_hash(run))
            for step in range(1, 7):
                taken = self.samples(step, run)
                self.assertEqual(sum(taken.values()), step * BATCH)
                for name, weight in weights.items():
                    self.assertLess(abs(taken[name] - step * BATCH * weight / 6.5), 1, (step, name))
        self.assertEqual(len(hashes), 1)

    def test_stages_with_sums_of_gradients_divided_over_ranks(self):
        # Nine micro-batches: a whole round of eight lanes, and one of one.
        batch = ["--zero-stage", 2, "--global-batch", 18]
        entries = ["web={web}:1", "code={code}:1", "code:3@2", "notes={notes}:0.5@3"]
        for ranks in (None, 2, 3):
            self.mix(entries, *batch, ranks=ranks, run=self.folder / f"on {ranks}")
        hashes = {self.weights_hash(self.folder / f"on {ranks}") for ranks in (None, 2, 3)}
        self.run_folder = self.folder / "on 3"
        self.keep_checkpoints_up_to(4)
        self.mix(entries, *batch, ranks=2)
        self.assertEqual(hashes, {self.weights_hash()})
        self.mix(entries, *batch[2:], run=self.folder / "stage 1")
        self.assertNotIn(self.weights_hash(self.folder / "stage 1"), hashes)

    def test_weights_matter_and_one_source_is_plain_training(self):
        runs = {}
        for name, entries in (("one", ["any={web}:0.7"]), ("two", ["web={web}:1", "code={code}:1"]),
                              ("three", ["web={web}:1", "code={code}:3"])):
            self.mix(entries, run=self.folder / name)
            runs[name] = self.weights_hash(self.folder / name)
        self.train(run=self.folder / "plain")
        self.assertEqual(runs["one"], self.weights_hash(self.folder / "plain"))
        self.assertEqual([line["validation_loss"] for line in self.metrics(self.folder / "one")[-1:]],
                         [line["validation_loss"] for line in self.metrics(self.folder / "plain")[-1:]])
        self.assertEqual(len(set(runs.values())), 3)

    def test_stages_and_stops_on_other_numbers_of_ranks(self):
        entries = ["web={web}:1", "code={code}:1", "code:3@2", "notes={notes}:0.5@3", "web:0@5"]
        whole = self.folder / "whole"
        self.mix(entries, run=whole, steps=8)
        self.assertEqual(self.configuration(whole),
                         ["code=/extra:1", "code=/extra:3@2", "notes=/pair/held-out:0.5@3", "web=/pair:1", "web=/pair:0@5"])
        for step in (2, 4, 6):
            shutil.rmtree(self.run_folder, ignore_errors=True)
            self.mix(entries, "--keep-checkpoints", 9, ranks=2, steps=8)
            self.keep_checkpoints_up_to(step)
            self.mix(entries[::-1], ranks=3, steps=8)
            self.assertEqual(self.weights_hash(), self.weights_hash(whole))
            self.assertEqual(self.samples(8), self.samples(8, whole))
        # 32 samples by halves, 16 by 1:3, 32 by 1:3:0.5, 48 by 3:0.5
        self.assertEqual(sum(self.samples(8).values()), 8 * BATCH)
        self.assertLess(abs(self.samples(8)["web"] - (16 + 4 + 32 / 4.5)), 3)
        self.assertLess(abs(self.samples(8)["notes"] - (32 * 0.5 / 4.5 + 48 * 0.5 / 3.5)), 3)

    def test_a_change_on_resume_is_a_stage_from_there_on(self):
        planned = self.folder / "planned"
        self.mix(["web={web}:1", "code={code}:1", "code:3@4", "notes={notes}:0.5@4"], run=planned, steps=8)
        self.mix(["web={web}:1", "code={code}:1"], "--keep-checkpoints", 9, steps=8)
        self.keep_checkpoints_up_to(4)
        changed = ["web={web}:1", "code={code}:3", "notes={notes}:0.5"]
        self.mix(changed, "--keep-checkpoints", 9, ranks=2, steps=8)
        self.assertEqual(self.weights_hash(), self.weights_hash(planned))
        self.assertEqual(self.samples(8), self.samples(8, planned))
        self.assertEqual(self.samples(4), {"code": 32, "web": 32})
        stages = ["code=/extra:1", "code=/extra:3@4", "notes=/pair/held-out:0.5@4", "web=/pair:1"]
        self.assertEqual(self.configuration(), stages)
        # Both the command and the run's own configuration go on from there.
        self.keep_checkpoints_up_to(6)
        self.mix(changed, steps=8)
        self.assertEqual(self.configuration(), stages)
        self.keep_checkpoints_up_to(6)
        chainrule("pretrain", "--config", self.run_folder / "config.cfg", ranks=3, check=0)
        self.assertEqual(self.weights_hash(), self.weights_hash(planned))
        again = self.folder / "again"
        chainrule("pretrain", "--config", self.run_folder / "config.cfg", "--run", again, check=0)
        self.assertEqual(self.weights_hash(again), self.weights_hash(planned))

    def test_what_was_trained_does_not_change(self):
        self.mix(["web={web}:1", "code={code}:1", "code:3@2"])
        self.keep_checkpoints_up_to(4)
        for entries, message in (
            (["web={web}:1"], "option '--mix': the source 'code' of this run is not named"),
            (["web={web}:1", "code={code}:1", "code:2@2"], "option '--mix': the stage behind step 2 is not as this run had it"),
            (["web={web}:1", "code={code}:1", "code:3@3"], "option '--mix': the stage behind step 3 is not as this run had it"),
            (["web={notes}:1", "code={code}:1"], "option '--mix web': "),
        ):
            for ranks in (None, 2):
                self.assertIn(message, self.mix(entries, ranks=ranks, check=64).err)
        self.assertIn("option '--mix' is set in this run and not set now", self.train(check=64).err)
        moved = self.folder / "moved: a=b@3"
        shutil.copytree(self.code, moved)
        self.mix(["web={web}:1", f"code={moved}:1", "code:3@2"])
        self.assertIn(f'code={moved}:3@2', (self.run_folder / "config.cfg").read_text())

    def test_repetition_is_capped(self):
        entries = ["web={web}:1", "notes={notes}:1"]
        message = r"option '--mix': of 'notes' 6 steps take 48 samples of its (\d+) windows, ([\d.]+) epochs, more than --max-epochs 1.5"
        for ranks in (None, 2):
            done = self.mix(entries, "--max-epochs", 1.5, ranks=ranks, check=64)
            self.assertRegex(done.err, message)
            self.assertFalse((self.run_folder / "checkpoints").exists())
        windows, epochs = map(float, re.search(message, done.err).groups())
        self.assertAlmostEqual(epochs, 48 / windows, 2)
        words = self.command(entries)
        planned = chainrule(*words, "--dry-run", "--max-epochs", 1.5, check=64)
        self.assertIn("more than --max-epochs 1.5", planned.err)
        rows = [line.split() for line in planned.out[planned.out.index("the mix"):].splitlines()[1:]]
        self.assertEqual(rows[0], ["source", "tokens", "weight", "samples", "epochs"])
        self.assertEqual([[row[0], *row[2:4]] for row in rows[1:]], [["notes", "1", "48"], ["web", "1", "48"]])
        self.assertEqual(rows[1][4], f"{epochs:.2f}")
        shutil.rmtree(self.run_folder, ignore_errors=True)
        chainrule(*words, "--max-epochs", 48 / windows, check=0)
        by_default = self.mix(entries, run=self.folder / "longer", steps=30, check=64)
        self.assertRegex(by_default.err, "of 'notes' 30 steps .* more than --max-epochs 4:")
        done = self.train("--max-epochs", 0.25, run=self.folder / "plain", check=64)
        self.assertIn("option '--data': 6 steps take 96 samples", done.err)

    def test_each_source_is_validated(self):
        entries = ["web={web}:1", "code={code}:1", "notes={notes}:0.1"]
        self.mix(entries, "--validate-every", 2, ranks=2)
        lines = [line for line in self.metrics() if "validation_loss" in line]
        self.assertEqual([line["step"] for line in lines], [2, 4, 6])
        self.assertEqual([sorted(line["validation_losses"]) for line in lines], [["code", "web"]] * 3)
        tokens = {name: sum(shard["tokens"] for shard in json.loads((data / "held-out/index.json").read_text())["shards"])
                  for name, data in (("web", self.web), ("code", self.code))}
        for line in lines:
            both = sum(loss * tokens[name] for name, loss in line["validation_losses"].items()) / sum(tokens.values())
            self.assertTrue(math.isclose(line["validation_loss"], both, rel_tol=1e-9))
        named = self.folder / "named"
        done = self.mix(entries, "--mix-validation", f"notes={self.code}/held-out", run=named, ranks=3)
        losses = self.metrics(named)[-1]["validation_losses"]
        self.assertEqual(losses["notes"], losses["code"])
        self.assertEqual({name: losses[name] for name in ("web", "code")}, lines[-1]["validation_losses"])
        self.assertRegex(done.err, r"validation loss [\d.]+ \(code [\d.]+, notes [\d.]+, web [\d.]+\)")

    def test_damaged_state_is_refused(self):
        entries = ["web={web}:1", "code={code}:1"]
        self.mix(entries)
        self.keep_checkpoints_up_to(4)
        path = self.checkpoint(4) / "state.json"
        intact = path.read_text()
        for damage in ({"samples": 33}, {"name": "cod"}, {"name": "web"}, None):
            state = json.loads(intact)
            if damage is None:
                state["sources"] = state["sources"][1:]
            else:
                state["sources"][0].update(damage)
            path.write_text(json.dumps(state))
            seal_checkpoint(path.parent)
            for ranks in (None, 2):
                self.assertIn("by the run's --mix", self.mix(entries, ranks=ranks, check=65).err)
        path.write_text(intact)
        seal_checkpoint(path.parent)
        self.mix(entries)

    def test_a_branch_takes_the_sources_state(self):
        stable = ["--schedule", "warmup-stable-decay", "--warmup-steps", 2, "--decay-steps", 4]
        entries = ["web={web}:1", "code={code}:1", "code:2@6"]
        whole = self.folder / "whole"
        self.mix(entries, *stable, run=whole, steps=10)
        trunk = self.folder / "trunk"
        self.mix(entries, "--schedule", "constant", "--warmup-steps", 2, run=trunk)
        words = self.command(entries, "--init", trunk, "--decay-steps", 4)
        for name in ("--steps", "--model", "--width", "--sequence-length"):
            at = words.index(name)
            del words[at:at + 2]
        chainrule(*words, "--decay-now", ranks=2, check=0)
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))
        self.assertEqual(self.samples(10), self.samples(10, whole))
        # A new run from the trunk's weights begins its data anew.
        fresh = self.folder / "fresh"
        words = self.command(["code={code}:1"], "--init", trunk, run=fresh)
        for name in ("--model", "--width"):
            at = words.index(name)
            del words[at:at + 2]
        chainrule(*words, check=0)
        self.assertEqual(self.samples(6, fresh), {"code": 96})

    def test_a_dry_run_of_a_branch_tells_what_it_takes(self):
        entries = ["web={web}:1", "code={code}:0", "web:0@4", "code:1@4"]
        trunk = self.folder / "trunk"
        self.mix(entries, "--schedule", "constant", "--warmup-steps", 2, run=trunk)
        words = self.command(entries, "--init", trunk, "--warmup-steps", 2, "--decay-steps", 3)
        for name in ("--steps", "--model", "--width", "--sequence-length"):
            at = words.index(name)
            del words[at:at + 2]
        for ranks in (None, 2):
            said = chainrule(*words, "--decay-now", "--dry-run", ranks=ranks, check=0).out
            self.assertRegex(said, r"goes on from step +6\n")
            self.assertRegex(said, rf"tokens in all +{3 * BATCH * 16}\n")
            taken = {line.split()[0]: int(line.split()[-2]) for line in said.splitlines()
                     if line.split()[:1] in (["web"], ["code"])}
            self.assertEqual(taken, {"web": 4 * BATCH, "code": 5 * BATCH})
        self.assertFalse(self.run_folder.exists())
        said = chainrule(*words, "--decay-now", "--dry-run", "--max-epochs", 0.01, check=64).err
        self.assertIn("more than --max-epochs", said)
        chainrule(*words, "--decay-now", check=0)
        self.assertEqual(self.samples(9), taken)

    def test_stages_behind_the_end_are_named_and_kept(self):
        entries = ["web={web}:1", "code={code}:1", "code:2@6", "code:3@60"]
        warning = "warning: option '--mix': the run ends at --steps 6, so @6, @60 will hold only if it is given more steps"
        constant = ["--schedule", "constant", "--warmup-steps", 2]
        for ranks in (None, 2):
            done = chainrule(*self.command(entries, *constant), "--dry-run", ranks=ranks, check=0)
            self.assertEqual(done.err.count(warning), 1, done.err)
        self.assertEqual(self.mix(entries, *constant, ranks=2).err.count(warning), 1)
        longer = self.mix(entries, *constant, steps=8)
        self.assertIn("ends at --steps 8, so @60 will", longer.err)
        self.assertAlmostEqual(self.samples(8)["code"], 6 * BATCH / 2 + 2 * BATCH * 2 / 3, delta=1)
        self.assertNotIn("warning: option", self.mix(entries[:3], *constant, run=self.folder / "reached", steps=8).err)

    def test_refusals(self):
        for entries, more, message in (
            (["web={web}"], [], "it lacks ':' and a weight"),
            (["web={web}:x"], [], "the weight 'x' is no decimal"),
            (["web={web}:1", "code:1@3"], [], "no entry says what the data of 'code' are"),
            (["web={web}:0"], [], "option '--mix': at the start no source has a weight above 0"),
            (["web={web}:1"], ["--data", self.web], "--data and --mix exclude each other"),
            (["web={web}:1"], ["--validation-data", self.web], "option '--validation-data' belongs to --data"),
            (["web={web}:1"], ["--mix-validation", f"code={self.web}"], "--mix has no source 'code'"),
            (["web={web}:1"], ["--max-epochs", 0], "option '--max-epochs' must be from"),
            (["web={web}:1"], ["--max-epochs", "nan"], "option '--max-epochs' must be from"),
        ):
            with self.subTest(entries=entries, more=more):
                words = self.command(entries)
                self.assertIn(message, chainrule(*words, *more, check=64).err)
        other = self.fixture / "other"
        for ranks in (None, 2):
            done = self.mix(["web={web}:1", f"z={other}:1"], ranks=ranks, check=65)
            self.assertIn("the source 'z' of --mix: ", done.err)
            self.assertIn("was made with another tokenizer", done.err)
        done = self.mix(["web={web}:1", f"z={self.fixture / 'short'}:1"], check=65)
        self.assertIn("the source 'z' of --mix: the data set", done.err)
        self.mix(["web={web}:1", f"z={self.folder / 'nowhere'}:1"], check=66)
        self.assertIn("'--data' (or '--mix') is required", chainrule("pretrain", "--run", self.run_folder, check=64).err)
        self.assertFalse(self.run_folder.exists())


if __name__ == "__main__":
    unittest.main()
