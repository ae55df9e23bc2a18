"""Files made to break what reads them: refused within seconds by an exit code, never by a signal, and nothing outside
of the output is touched."""
import json
import os
import pathlib
import resource
import shutil
import subprocess
import unittest

import h5py

from checksums import seal_checkpoint, seal_data_set
from evaluation import EvaluationTest
from packing import TOKENIZER, PackTest, write_corpus
from pretraining import PretrainTest
from program import PROGRAM, chainrule, read_back, run_bounded
from refusals import Refusals, copied, state_of
from text_model import TextModelTest

DEEP = 300_000  # brackets


def brackets(count=DEEP):
    return "[" * count + "]" * count


class Contradictions(Refusals, PretrainTest):
    """Every checksum agrees, and what the files say does not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        maker = cls()
        maker.setUp()
        maker.train()
        shutil.rmtree(maker.checkpoint(6))
        cls.begun = maker.run_folder
        wide = cls.fixture / "wide"
        maker.train("--width", 256, run=wide)
        cls.wide = maker.checkpoint(6, wide)

    def setUp(self):
        super().setUp()
        if hasattr(self, "begun"):
            copied(self.begun, self.run_folder)

    def edit(self, name, **changes):
        path = self.checkpoint(4) / name
        content = json.loads(path.read_text())
        content.update(changes)
        path.write_text(json.dumps(content, indent=2) + "\n")
        seal_checkpoint(path.parent)

    def refused(self, *said):
        self.assert_refused(self.train(check=None), (64, 65), *said)
        self.assertEqual(self.checkpoints(), ["step-00000004"])

    def test_a_larger_model_than_the_state_says(self):
        for name in ("model.h5", "model.json"):
            shutil.copy(self.wide / name, self.checkpoint(4) / name)
        seal_checkpoint(self.checkpoint(4))
        self.refused("step-00000004")

    def test_the_optimizer_state_of_a_larger_model(self):
        shutil.copy(self.wide / "optimizer-00000.h5", self.checkpoint(4) / "optimizer-00000.h5")
        seal_checkpoint(self.checkpoint(4))
        self.refused("step-00000004")

    def test_two_files_of_the_same_optimizer_state(self):
        shutil.copy(self.checkpoint(4) / "optimizer-00000.h5", self.checkpoint(4) / "optimizer-00001.h5")
        manifest = json.loads((self.checkpoint(4) / "manifest.json").read_text())
        manifest["files"].append({"name": "optimizer-00001.h5", "bytes": 0, "xxh3_128": ""})
        self.edit("manifest.json", files=manifest["files"])
        self.refused("step-00000004")

    def test_ranges_of_the_optimizer_state(self):
        path = self.checkpoint(4) / "optimizer-00000.h5"
        kept = path.read_bytes()
        with h5py.File(path) as file:
            names = [name for name in file if file[name].dtype.kind == "u" or file[name].dtype.kind == "i"]
        self.assertTrue(names)
        for name in names:
            for value in (0, 1, 2**31, 2**62, 2**63 - 1):
                for place in (0, -1):
                    with self.subTest(name=name, value=value, place=place):
                        with h5py.File(path, "r+") as file:
                            flat = file[name][:]
                            unchanged = flat.flat[place] == value
                            flat.flat[place] = value
                            file[name][:] = flat
                        seal_checkpoint(self.checkpoint(4))
                        if not unchanged:
                            self.refused("step-00000004")
                    path.write_bytes(kept)

    def test_numbers_of_the_state(self):
        for changes in ({"step": -1}, {"step": 5}, {"step": 2**62}, {"samples_consumed": -5},
                        {"samples_consumed": 2**62}, {"samples_consumed": 65}, {"samples_consumed": 0}, {"step": 4.5},
                        {"elapsed_seconds": -1e300}, {"step": "4"}, {"step": None}, {"threads_per_rank": [[]]}):
            with self.subTest(changes=changes):
                before = (self.checkpoint(4) / "state.json").read_bytes()
                self.edit("state.json", **changes)
                if "elapsed_seconds" not in changes:
                    self.refused("state.json")
                else:
                    self.assertIn(self.train(check=None).returncode, (0, 65))
            if not self.checkpoint(4).exists():
                shutil.rmtree(self.run_folder)
                copied(self.begun, self.run_folder)
            else:
                shutil.rmtree(self.run_folder)
                copied(self.begun, self.run_folder)
            self.assertTrue(before)

    def test_names_in_the_manifest(self):
        manifest = json.loads((self.checkpoint(4) / "manifest.json").read_text())
        for name in ("../../config.cfg", "/etc/hostname", "model.h5\0", "", ".", "a" * 5000, "\x1b[2J"):
            with self.subTest(name=name):
                files = [*manifest["files"], {"name": name, "bytes": 0, "xxh3_128": "0"}]
                (self.checkpoint(4) / "manifest.json").write_text(json.dumps({**manifest, "files": files}))
                done = self.train(check=None)
                self.assert_refused(done, 65, "manifest.json")
                self.assertNotIn("\x1b", done.err)


class HostileModels(Refusals, EvaluationTest):
    def test_sizes_in_the_description(self):
        """Bounds come before building: neither memory nor time goes to a number in a file."""
        for field in ("layers", "heads", "width", "feed_forward_width", "vocabulary_size", "sequence_length"):
            for value in (0, -1, 2**31, 2**31 - 1, 2**40, 2**62, 2**63, 1e30, 2.5, "2"):
                with self.subTest(field=field, value=value):
                    model = copied(self.fixture / "model", self.folder / "model")
                    description = json.loads((model / "model.json").read_text())
                    description[field] = value
                    (model / "model.json").write_text(json.dumps(description))
                    seal_checkpoint(model)
                    for command in (["inspect", model], ["evaluate", "--model", model, "--data", self.fixture / "data",
                                                         "--report", self.folder / "report"]):
                        done = self.limited(command)
                        self.assertIn(done.returncode, (64, 65), (command[0], done.err[-500:]))
                        self.assertLess(len(done.err), 2000)
                shutil.rmtree(self.folder / "model")

    @staticmethod
    def limited(command):
        """No more than 4 GiB and five seconds."""
        def apply():
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        return read_back(run_bounded([PROGRAM, *map(str, command)], 5, preexec_fn=apply, env=os.environ))


class FlippedBytes(Refusals, PackTest):
    def test_every_97th_byte_of_a_shard(self):
        write_corpus(self.corpus, lines=4)
        self.pack("data")
        shard = self.folder / "data/shard-00000.h5"
        content = shard.read_bytes()
        alone = self.folder / "shard-00000.h5"
        ways = {}
        for at in range(0, len(content), max(97, len(content) // 600)):
            for bit in (0x01, 0x80):
                alone.write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1:])
                try:
                    code = subprocess.run([PROGRAM, "inspect", alone], capture_output=True, timeout=5).returncode
                except subprocess.TimeoutExpired:
                    code = "hangs"
                ways.setdefault(code, []).append(at)
        self.assertLessEqual(set(ways), {0, 65}, {code: places[:5] for code, places in ways.items() if code != 0})


class DeepFiles(Refusals, TextModelTest):
    """Brackets in every JSON file that a command reads."""

    def refused(self, name, *command, **more):
        done = self.assert_refused(chainrule(*command, timeout=10, **more), 65, name)
        self.assertLess(len(done.err), 3000)

    def test_lines_of_text(self):
        path = self.folder / "a.jsonl"
        for line in ('{"text": "a", "n": ' + brackets() + "}", '{"a":' * DEEP + "1" + "}" * DEEP, "[" * DEEP):
            path.write_text('{"text": "fine"}\n' + line + "\n")
            self.refused("line 2", "pack", "--tokenizer", TOKENIZER, "--input", path, "--output", self.folder / "data")
            self.refused("line 2", "tokenizer", "train", "--vocabulary-size", 257, "--input", path, "--output",
                         self.folder / "t.json")

    def test_prompts(self):
        path = self.folder / "prompts.jsonl"
        path.write_text('{"prompt": "a", "n": ' + brackets() + "}\n")
        self.refused("prompts.jsonl", "generate", "--model", self.run_directory, "--prompts", path)

    def test_tokenizers(self):
        text = (self.home / "tokenizer.json").read_text()
        path = self.folder / "tokenizer.json"
        definition = json.loads(text)
        for before, after in (('"normalizer": null', '"normalizer": {"type": %s}'),
                              ('"pre_tokenizer": {', '"pre_tokenizer": {"type": %s, "was": {'),
                              ('"version": "1.0"', '"version": %s'), ('"merges": [', '"merges": [%s, '),
                              ('"added_tokens": [', '"added_tokens": [%s, '), ('"dropout": null', '"dropout": %s')):
            self.assertIn(before, text)
            changed = text.replace(before, after % brackets(), 1)
            path.write_text(changed)
            with self.subTest(after=after):
                self.refused("tokenizer.json", "tokenizer", "encode", "--tokenizer", path, "--input",
                             self.home / "text/0.txt")
                self.refused("tokenizer.json", "inspect", path)
        folder = self.folder / "gpt2"
        folder.mkdir()
        (folder / "merges.txt").write_text("")
        (folder / "vocab.json").write_text('{"a": ' + brackets() + "}")
        self.refused("vocab.json", "inspect", folder)
        self.assertTrue(definition)

    def test_indexes_and_checkpoints(self):
        data = copied(self.home / "data", self.folder / "data")
        (data / "index.json").write_text('{"format": ' + brackets() + "}")
        self.refused("index.json", "inspect", data)
        self.refused("index.json", "pretrain", "--data", data, "--run", self.folder / "run", "--steps", 1)
        for name in ("manifest.json", "model.json", "state.json"):
            model = copied(self.checkpoint, self.folder / name)
            (model / name).write_text('{"format": ' + brackets() + "}")
            if name != "manifest.json":
                seal_checkpoint(model)
            with self.subTest(name=name):
                self.refused(name, "score", "--model", model, "--text", "a") if name != "state.json" else None
                self.refused(name, "inspect", model)

    def test_a_run(self):
        for name in ("state.json", "environment.json"):
            run = copied(self.run_directory, self.folder / name)
            shutil.rmtree(run / "checkpoints/step-00000060")
            path = run / ("checkpoints/step-00000030/state.json" if name == "state.json" else name)
            path.write_text('{"starts": ' + brackets() + "}")
            seal_checkpoint(run / "checkpoints/step-00000030")
            with self.subTest(name=name):
                self.refused(name, "pretrain", "--config", run / "config.cfg", "--run", run)


class TemporaryNames(Refusals, TextModelTest):
    """A file beside the output that somebody else may have made: it is never followed nor overwritten."""

    def attacked(self, command, output):
        """Links under every name that a process number may give lead to what is precious."""
        precious = self.folder / "precious"
        precious.write_text("mine")
        script = ('import os, sys, pathlib\n'
                  'for name in sys.argv[2].split(","):\n'
                  '    os.symlink(sys.argv[1], name.replace("PID", str(os.getpid())))\n'
                  'os.execv(sys.argv[3], sys.argv[3:])')
        names = ",".join(f"{output}{suffix}" for suffix in (".partial-PID", ".partial", ".tmp", ".partial-1", ".new"))
        done = subprocess.run(["/usr/bin/python3", "-c", script, str(precious), names, PROGRAM, *map(str, command)],
                              capture_output=True, timeout=30)
        self.assertEqual(precious.read_text(), "mine", done.stderr)
        self.assertFalse(pathlib.Path(output).is_symlink(), "the output is a link to what is precious")
        self.assertIn(done.returncode, (0, 73), done.stderr)
        self.assertEqual(done.returncode == 0, pathlib.Path(output).exists())

    def test_pictures_and_pages(self):
        model = ["--model", self.run_directory, "--text", "a"]
        self.attacked(["next", *model, "--svg", self.folder / "a.svg"], self.folder / "a.svg")
        self.attacked(["score", *model, "--html", self.folder / "a.html"], self.folder / "a.html")

    def test_ids_and_tokenizers(self):
        text = ["--input", self.home / "text/0.txt"]
        self.attacked(["tokenizer", "encode", "--tokenizer", self.home / "tokenizer.json", *text, "--output",
                       self.folder / "ids"], self.folder / "ids")
        self.attacked(["tokenizer", "train", *text, "--vocabulary-size", 260, "--output", self.folder / "t.json"],
                      self.folder / "t.json")

    def test_files_of_a_run(self):
        run = self.folder / "run"
        run.mkdir()
        command = ["pretrain", "--data", self.home / "data", "--run", run, "--model", "tiny", "--sequence-length", 16,
                   "--steps", 1, "--micro-batch", 1, "--global-batch", 1]
        precious = self.folder / "precious"
        precious.write_text("mine")
        script = ('import os, sys\nos.symlink(sys.argv[1], sys.argv[2] + "/config.cfg.partial-" + str(os.getpid()))\n'
                  'os.execv(sys.argv[3], sys.argv[3:])')
        done = subprocess.run(["/usr/bin/python3", "-c", script, str(precious), str(run), PROGRAM, *map(str, command)],
                              capture_output=True, timeout=30)
        self.assertEqual(precious.read_text(), "mine", done.stderr)
        self.assertFalse((run / "config.cfg").is_symlink())


class Messages(Refusals, TextModelTest):
    """What a file or its name holds does not move the terminal nor forge lines."""

    def shown(self, *command, **more):
        done = chainrule(*command, **more)
        for text in (done.err, done.out):
            self.assertNotRegex(text, "[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f]")
        self.assertNotIn("\nchainrule: forged", "\n" + done.err.replace("chainrule: forged: ", "", 0))
        return done

    def test_names_of_files(self):
        for name in ("\x1b[2Ja", "a\nchainrule: forged", "a\rb", "\x9b31m", "bell\x07"):
            with self.subTest(name=name):
                path = self.folder / name
                for command in (["inspect", path], ["score", "--model", path, "--text", "a"],
                                ["pack", "--tokenizer", path, "--input", path, "--output", self.folder / "o"],
                                ["next", "--model", self.run_directory, "--input", path]):
                    done = self.shown(*command)
                    self.assertEqual(len(done.err.strip().splitlines()), 1, done.err)

    def test_words_of_the_command_line(self):
        for word in ("--\x1b[2J", "\x1b[2J", "--a\nchainrule: forged"):
            self.shown(word)
            self.shown("inspect", word)
            self.shown("pretrain", "--model", word, "--data", "a", "--run", "b", "--steps", 1)

    def test_content_of_files(self):
        data = copied(self.home / "data", self.folder / "data")
        index = json.loads((data / "index.json").read_text())
        index["shards"][0]["file"] = "\x1b[2J\nchainrule: forged"
        (data / "index.json").write_text(json.dumps(index))
        self.shown("inspect", data)
        index["shards"][0]["file"] = "shard-00000.h5"
        index["domains"][0]["name"] = "\x1b[2J\nevery checksum verified"
        (data / "index.json").write_text(json.dumps(index))
        seal_data_set(data)
        done = self.shown("inspect", data)
        self.assertLessEqual(done.out.count("\nevery checksum verified"), 1)
        path = self.folder / "options.cfg"
        path.write_bytes(b"\x1b[2J = 1\n")
        self.shown("next", "--config", path)


if __name__ == "__main__":
    unittest.main()
