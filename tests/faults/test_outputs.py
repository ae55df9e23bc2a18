"""Outputs are made with their parents or refused before the work begins, and what is finished is kept."""
import pathlib
import shutil
import unittest

from evaluation import EvaluationTest
from failing_calls import failing
from packing import TOKENIZER, PackTest, write_corpus
from program import chainrule
from refusals import Refusals
from text_model import TextModelTest


class Outputs(Refusals):
    """Made with its parents, or refused before the work begins; what is done is kept and named."""

    def made_or_refused_at_once(self, done, working, output):
        self.assertNotIn("internal error", done.err)
        if done.returncode != 0:
            self.assert_refused(done, 73)
            self.assertNotIn(working, done.err)
        else:
            self.assertTrue(any(pathlib.Path(output).rglob("*.json")), done.err)

    def kept_and_named(self, done, suffix, holds):
        """The message names the folder that holds the finished work."""
        self.assert_refused(done, (73, 74), suffix)
        named = [pathlib.Path(word) for word in done.err.split("'") if word.startswith("/")]
        self.assertTrue(any((path / holds).exists() for path in named), done.err)


class PackOutputs(Outputs, PackTest):
    def setUp(self):
        super().setUp()
        write_corpus(self.corpus, lines=3)
        self.empty = self.folder / "empty"
        self.empty.mkdir()

    def run_pack(self, output, **more):
        return chainrule("pack", "--tokenizer", TOKENIZER, "--input", self.corpus, "--output", output, **more)

    def test_a_link_to_an_empty_folder(self):
        (self.folder / "link").symlink_to(self.empty)
        self.made_or_refused_at_once(self.run_pack(self.folder / "link"), "tokenising", self.folder / "link/")

    def test_a_dangling_link(self):
        (self.folder / "link").symlink_to(self.folder / "nowhere")
        self.made_or_refused_at_once(self.run_pack(self.folder / "link"), "tokenising", self.folder / "link/")

    def test_the_working_folder(self):
        for output in (".", "./", "../empty", "sub/.."):
            with self.subTest(output=output):
                self.made_or_refused_at_once(self.run_pack(output, cwd=self.empty), "tokenising", self.empty)
                shutil.rmtree(self.empty, ignore_errors=True)
                self.empty.mkdir()

    def test_new_folders_are_made(self):
        self.assertEqual(self.run_pack(self.folder / "a/b/c/").returncode, 0)
        chainrule("inspect", self.folder / "a/b/c", check=0)

    def test_a_last_rename_that_fails(self):
        for error in ("EACCES", "EIO", "ESTALE", "EXDEV"):
            with self.subTest(error=error):
                done = self.run_pack(self.folder / "set", env=failing(f"rename:/set$:{error}:always"))
                self.kept_and_named(done, "set", "index.json")


class EvaluateOutputs(Outputs, EvaluationTest):
    def run_evaluate(self, report, **more):
        return chainrule("evaluate", "--model", self.fixture / "model", "--data", self.fixture / "data", "--report",
                         report, **more)

    def test_links_and_the_working_folder(self):
        for name, target in (("to empty", "empty"), ("to nothing", "nowhere")):
            empty = self.folder / "empty"
            empty.mkdir(exist_ok=True)
            (self.folder / name).symlink_to(self.folder / target)
            with self.subTest(link=name):
                self.made_or_refused_at_once(self.run_evaluate(self.folder / name), "scoring", self.folder / f"{name}/")
        for report in (".", "./", "../inside", "sub/.."):
            inside = self.folder / "inside"
            inside.mkdir()
            with self.subTest(report=report):
                self.made_or_refused_at_once(self.run_evaluate(report, cwd=inside), "scoring", inside)
            shutil.rmtree(inside, ignore_errors=True)

    def test_a_last_rename_that_fails(self):
        done = self.run_evaluate(self.folder / "report", env=failing("rename:/report$:EACCES:always"))
        self.kept_and_named(done, "report", "report.json")

    def test_a_parent_that_cannot_be_made(self):
        for rule in ("mkdir:deep:EACCES:always", "mkdir:deep:EROFS:always", "mkdir:deep:ENOSPC:always"):
            done = self.run_evaluate(self.folder / "deep/er/report", env=failing(rule))
            self.assert_refused(done, 73, "deep")
            self.assertNotIn("scoring", done.err)


class SingleFileOutputs(Outputs, TextModelTest):
    def test_parents_are_made(self):
        new = self.folder / "new/folder"
        chainrule("tokenizer", "train", "--input", self.home / "text", "--vocabulary-size", 280, "--output",
                  new / "t.json", check=0)
        codec = ["--tokenizer", self.home / "tokenizer.json", "--input"]
        chainrule("tokenizer", "encode", *codec, self.home / "text/0.txt", "--output", new / "ids/1.u32", check=0)
        chainrule("tokenizer", "decode", *codec, new / "ids/1.u32", "--output", new / "text/1.txt", check=0)
        self.assertEqual((new / "text/1.txt").read_bytes(), (self.home / "text/0.txt").read_bytes())
        self.run_command("score", "--text", "a", "--html", new / "html/a.html")
        self.run_command("next", "--text", "a", "--svg", new / "svg/a.svg")

    def test_what_cannot_be_made_is_refused_first(self):
        for rule in ("mkdir:new:EACCES:always", "create:t.json:EACCES:always", "create:t.json:EROFS:always"):
            done = chainrule("tokenizer", "train", "--input", self.home / "text", "--vocabulary-size", 280, "--output",
                             self.folder / "new/t.json", env=failing(rule))
            self.assert_refused(done, 73, "t.json")
            self.assertNotIn("counting", done.err)
            self.assertFalse(any(self.folder.rglob("t.json*")))

    def test_a_folder_in_the_place_of_the_file(self):
        done = chainrule("tokenizer", "train", "--input", self.home / "text", "--vocabulary-size", 280, "--output",
                         self.folder)
        self.assert_refused(done, 73, self.folder)
        self.assertNotIn("counting", done.err)


if __name__ == "__main__":
    unittest.main()
