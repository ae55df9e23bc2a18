"""A small model trained on a few words, for the tests of the commands that turn text into probabilities."""
import pathlib
import random
import shutil
import tempfile
import unittest

from program import chainrule

SUBJECTS = ["the cat", "a dog", "the old man", "my sister", "the café"]
VERBS = ["sat on", "looked at", "ran from", "painted"]
OBJECTS = ["the mat", "a tree", "the wide river", "every house"]


def corpus(sentences, seed):
    choose = random.Random(seed).choice
    return "\n".join(f"{choose(SUBJECTS)} {choose(VERBS)} {choose(OBJECTS)}." for _ in range(sentences)) + "\n"


class TextModelTest(unittest.TestCase):
    """A folder (with a space in its name) with run/, a finished run of a two-layer model; made once a class."""

    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="chainrule text "))
        cls.addClassCleanup(shutil.rmtree, cls.home)
        (cls.home / "text").mkdir()
        for part in range(8):
            (cls.home / "text" / f"{part}.txt").write_text(corpus(60, part), encoding="utf-8")
        chainrule("tokenizer", "train", "--input", cls.home / "text", "--vocabulary-size", 300,
                  "--output", cls.home / "tokenizer.json", check=0)
        chainrule("pack", "--tokenizer", cls.home / "tokenizer.json", "--input", cls.home / "text",
                  "--output", cls.home / "data", check=0)
        chainrule("pretrain", "--data", cls.home / "data", "--run", cls.home / "run", "--model", "tiny",
                  "--sequence-length", 64, "--micro-batch", 4, "--global-batch", 8, "--steps", 60, "--learning-rate",
                  "3e-3", "--warmup-steps", 5, "--checkpoint-every", 30, "--validate-every", 1000, check=0)
        cls.run_directory = cls.home / "run"
        cls.checkpoint = sorted((cls.run_directory / "checkpoints").iterdir())[-1]

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.home))

    def run_command(self, command, *arguments, check=0, **more):
        return chainrule(command, "--model", self.run_directory, *arguments, check=check, **more)

    def expect_failure(self, code, words, command, *arguments, **more):
        """The command fails with this exit code and one line on stderr that holds these words; nothing on stdout."""
        done = self.run_command(command, *arguments, check=code, **more)
        for word in words if isinstance(words, (list, tuple)) else [words]:
            self.assertIn(word, done.err)
        self.assertEqual(len(done.err.strip().splitlines()), 1, done.err)
        self.assertEqual(done.out, "")
        return done
