"""What is written is read back as it was meant, whatever bytes it holds; what is edited by hand is checked again."""
import json
import os
import shutil
import unittest

from packing import TOKENIZER, PackTest
from pretraining import PretrainTest
from program import chainrule
from refusals import Refusals
from text_model import TextModelTest
from views import in_views

NOT_UTF8 = os.fsdecode(b"caf\xe9 \xff")
NAMES = ("a # b", "#", "two\nlines", "two\r\nlines", " leading and trailing ", 'double " quote', "single ' quote",
         "a = b", "back\\slash \\n", "tab\there", NOT_UTF8, "bell\a", "$HOME %s {0}", "[section]", "\u2028 caf\u00e9", "trailing\\")


class RunDirectories(Refusals, PretrainTest):
    def resumed(self, *more, run, data):
        """A run that was stopped at step 4 goes on by the same words, and the configuration that it wrote is one for
        --config, too."""
        self.train(*more, run=run, data=data)
        for step in (6,):
            shutil.rmtree(self.checkpoint(step, run))
        done = self.train(*more, run=run, data=data)
        self.assertIn("going on from step 4", done.err)
        done = chainrule("pretrain", "--config", run / "config.cfg")
        self.assertEqual(done.returncode, 0, done.err)
        self.assertIn("is finished", done.err)

    def test_names_of_runs(self):
        for name in NAMES:
            with self.subTest(name=name):
                self.resumed(run=self.folder / name, data="pair")

    def test_names_of_data(self):
        for number, name in enumerate(NAMES):
            with self.subTest(name=name):
                data = self.folder / "data" / name
                shutil.copytree(self.fixture / "pair/train", data)
                self.resumed("--validation-data", self.fixture / "pair/held-out", run=self.folder / f"{number}",
                             data=data)

    def test_data_that_differ_behind_a_number_sign(self):
        """Cut at the sign, both would be one."""
        self.train(run=self.folder / "run#1")
        done = chainrule(*self.options(run=self.folder / "run#1"), "--config", self.folder / "run#1/config.cfg")
        self.assertEqual(done.returncode, 0, done.err)
        self.assertFalse((self.folder / "run").exists())

    def edited(self, before, after):
        path = self.run_folder / "config.cfg"
        text = path.read_bytes()
        self.assertIn(before, text)
        path.write_bytes(text.replace(before, after))

    def begin(self):
        """A run that stands at step 4, and a copy to come back to."""
        self.train()
        self.keep_checkpoints_up_to(4)
        shutil.copytree(self.run_folder, self.folder / "begun")

    def back(self):
        shutil.rmtree(self.run_folder)
        shutil.copytree(self.folder / "begun", self.run_folder)

    def test_lanes_edited_by_hand(self):
        self.begin()
        metrics = [line["loss"] for line in self.metrics()]
        for value in (b"3", b"0", b"-8", b"12", b"abc", b"8x", b"", b"99999999999999999999", b"8.0", b"0x8", b"1e1",
                      b"9223372036854775807", b"4611686018427387904"):
            with self.subTest(lanes=value):
                self.edited(b"lanes = 8", b"lanes = " + value)
                done = chainrule(*self.options(), timeout=15)
                self.assert_refused(done, (64, 65), "config.cfg", "lanes")
                self.assertEqual([line["loss"] for line in self.metrics()], metrics)
            self.back()
        self.edited(b"lanes = 8", b"lanes = 8  # edited")
        self.train()

    def test_more_lanes_than_before(self):
        self.train()
        self.keep_checkpoints_up_to(4)
        self.edited(b"lanes = 8", b"lanes = 4")
        self.assert_refused(self.train("--lanes", 8, check=None), 64, "lanes")

    def test_other_edits_by_hand(self):
        self.begin()
        for before, after in ((b"seed = 0", b"seed = 0\nseed = 1"), (b"seed = 0", b"sead = 0"), (b"seed = 0", b"seed"),
                              (b"seed = 0", b"seed = 0\n\0"), (b"seed = 0", b"seed = 0\ncaf\xe9 = 1"),
                              (b"steps = 6", b"steps = six"), (b"micro-batch = 2", b"micro-batch = 3"),
                              (b"seed = 0", b"[seed]\nseed = 0"), (b"seed = 0", b"seed = 0\nlanes = 8")):
            with self.subTest(after=after):
                self.edited(before, after)
                self.assert_refused(self.train(check=None), (64, 65))
            self.back()
        self.train()


class Environments(Refusals, PretrainTest):
    """Names that a batch system passes on are no UTF-8, and what is measured is written all the same."""

    def odd(self):
        # Not the variables by which Open MPI itself takes a process for a batch system's.
        names = ("SLURM_JOB_NAME", "SLURM_CLUSTER_NAME", "SLURM_ARRAY_JOB_ID", "LSB_JOBINDEX", "USER", "HOME")
        return {name: NOT_UTF8 for name in names}

    def test_pretrain(self):
        self.train(env=self.odd())
        json.loads((self.run_folder / "environment.json").read_text(encoding="utf-8"))

    def test_evaluate(self):
        self.train()
        report = self.folder / "report"
        chainrule("evaluate", "--model", self.run_folder, "--data", self.fixture / "pair/held-out", "--report", report,
                  env=self.odd(), check=0)
        json.loads((report / "environment.json").read_text(encoding="utf-8"))

    def test_several_ranks(self):
        in_views([self.folder] * 2, *self.options(), env=self.odd(), check=0, timeout=30)

    def test_benchmark(self):
        done = chainrule("benchmark", "--model", "tiny", "--vocabulary-size", 300, "--sequence-length", 16, "--rounds", 1,
                         "--json", env=self.odd(), check=0)
        json.loads(done.out)
        text = self.folder / NOT_UTF8
        shutil.copytree(self.fixture / "pair/train", text)
        done = chainrule("benchmark", "--model", "tiny", "--vocabulary-size", 300, "--sequence-length", 16, "--rounds", 1,
                         "--json", "--tokenizer", text / "tokenizer.json", "--input", text / "index.json", check=0)
        json.loads(done.out)

    def test_names_in_json(self):
        data = self.folder / NOT_UTF8
        shutil.copytree(self.fixture / "pair/train", data)
        self.train(data=data, run=self.folder / "run")
        for path in (data, self.folder / "run"):
            json.loads(chainrule("inspect", path, "--json", check=0).out)
            chainrule("inspect", path, check=0)


class Numbers(Refusals, PackTest):
    """JSON allows numbers that no double holds: they are read, or refused with file and line."""

    LINES = ('{"text": "b", "score": 1e999}', '{"text": "b", "score": -1e999}', '{"text": "b", "n": 1E+400}',
             '{"text": "b", "n": [' + "9" * 400 + "]}", '{"text": "b", "n": 0.' + "1" * 5000 + "e-5000}",
             '{"text": "b", "n": -' + "9" * 400 + ".5}")

    def test_in_json_lines(self):
        self.corpus.mkdir()
        for number, line in enumerate(self.LINES):
            (self.corpus / "a.jsonl").write_text('{"text": "a b a b a b"}\n' + line + "\n")
            for command in (["pack", "--tokenizer", TOKENIZER, "--output", self.folder / f"set {number}"],
                            ["tokenizer", "train", "--vocabulary-size", 257, "--output", self.folder / f"t {number}"]):
                with self.subTest(line=line[:40], command=command[0]):
                    done = chainrule(*command, "--input", self.corpus)
                    if done.returncode != 0:
                        self.assert_refused(done, 65, "a.jsonl' line 2")

    def test_in_tokenizers(self):
        path = self.folder / "tokenizer.json"
        (self.folder / "text.txt").write_text("a")
        chainrule("tokenizer", "train", "--input", TOKENIZER / "merges.txt", "--vocabulary-size", 300, "--output", path,
                  check=0)
        text = path.read_text()
        for before, after in (('"id": ', '"id": 1e999, "was": '), ('"version"', '"more": 1e999, "version"'),
                              ('"dropout": null', '"dropout": 1e999')):
            with self.subTest(after=after):
                self.assertIn(before, text)
                path.write_text(text.replace(before, after, 1))
                done = chainrule("tokenizer", "encode", "--tokenizer", path, "--input", self.folder / "text.txt")
                if done.returncode != 0:
                    self.assert_refused(done, 65, "tokenizer.json")


class PromptNumbers(Refusals, TextModelTest):
    def test_in_prompts(self):
        path = self.folder / "prompts.jsonl"
        path.write_text('{"prompt": "a"}\n{"prompt": "b", "score": 1e999}\n')
        done = chainrule("generate", "--model", self.run_directory, "--prompts", path, "--max-tokens", 2)
        if done.returncode != 0:
            self.assert_refused(done, 65, "prompts.jsonl", "line 2")

    def test_in_checkpoints(self):
        model = self.folder / "model"
        shutil.copytree(self.checkpoint, model)
        for name, before in (("model.json", '"step": '), ("manifest.json", '"bytes": ')):
            text = (model / name).read_text()
            (model / name).write_text(text.replace(before, before + "1e999, \"was\": ", 1))
            for command in (["inspect", model], ["score", "--model", model, "--text", "a"]):
                self.assert_refused(chainrule(*command), 65, name)
            (model / name).write_text(text)


if __name__ == "__main__":
    unittest.main()
