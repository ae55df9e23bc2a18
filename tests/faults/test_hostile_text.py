"""Deep brackets, links under predictable names, and names that would move a terminal: refused, not followed, escaped."""
import json
import pathlib
import shutil
import subprocess
import unittest

from checksums import seal_checkpoint, seal_data_set
from packing import TOKENIZER
from program import PROGRAM, chainrule
from refusals import Refusals, copied
from text_model import TextModelTest

DEEP = 300_000  # brackets


def brackets():
    return "[" * DEEP + "]" * DEEP


class DeepFiles(Refusals, TextModelTest):
    """Brackets in every JSON file that a command reads."""

    def refused(self, name, *command, unused=False):
        """What no command needs may also be passed over."""
        done = chainrule(*command, timeout=10)
        if done.returncode != 0 or not unused:
            self.assert_refused(done, 65, name)
        self.assertLess(len(done.err), 3000)

    def test_lines_of_text(self):
        path = self.folder / "a.jsonl"
        for line in ('{"text": "a", "n": ' + brackets() + "}", '{"a":' * DEEP + "1" + "}" * DEEP, "[" * DEEP):
            path.write_text('{"text": "fine"}\n' + line + "\n")
            unused = line.startswith('{"text"')
            self.refused("line 2", "pack", "--tokenizer", TOKENIZER, "--input", path, "--output", self.folder / "data",
                         unused=unused)
            self.refused("line 2", "tokenizer", "train", "--vocabulary-size", 257, "--input", path, "--output",
                         self.folder / "t.json", unused=unused)
            shutil.rmtree(self.folder / "data", ignore_errors=True)
            (self.folder / "t.json").unlink(missing_ok=True)

    def test_prompts(self):
        path = self.folder / "prompts.jsonl"
        path.write_text('{"prompt": "a", "n": ' + brackets() + "}\n")
        self.refused("prompts.jsonl", "generate", "--model", self.run_directory, "--prompts", path, unused=True)

    def test_tokenizers(self):
        text = (self.home / "tokenizer.json").read_text()
        path = self.folder / "tokenizer.json"
        for before, after in (('"normalizer": null', '"normalizer": {"type": %s}'),
                              ('"pre_tokenizer": {', '"pre_tokenizer": {"type": %s, "was": {'),
                              ('"version": "1.0"', '"version": %s'), ('"merges": [', '"merges": [%s, '),
                              ('"added_tokens": [', '"added_tokens": [%s, '), ('"dropout": null', '"dropout": %s')):
            self.assertIn(before, text)
            changed = text.replace(before, after % brackets(), 1)
            path.write_text(changed)
            with self.subTest(after=after):
                unused = "version" in before
                self.refused("tokenizer.json", "tokenizer", "encode", "--tokenizer", path, "--input",
                             self.home / "text/0.txt", unused=unused)
                self.refused("tokenizer.json", "inspect", path, unused=unused)
        folder = self.folder / "gpt2"
        folder.mkdir()
        (folder / "merges.txt").write_text("")
        (folder / "vocab.json").write_text('{"a": ' + brackets() + "}")
        self.refused("vocab.json", "inspect", folder)

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
                self.refused(name, "score", "--model", model, "--text", "a", unused=name == "state.json")
                self.refused(name, "inspect", model, unused=name == "state.json")

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
        self.assertNotIn("\nchainrule: forged", "\n" + done.err)
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
