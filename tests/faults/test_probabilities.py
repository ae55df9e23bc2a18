"""Mistakes around score, next and generate: one message, the right exit code, nothing overwritten."""
import json
import os
import shutil
import subprocess
import unittest

from program import PROGRAM, chainrule
from text_model import TextModelTest


class Probabilities(TextModelTest):
    def test_models(self):
        for command in ("score", "next", "generate"):
            text = ["--prompt", "a"] if command == "generate" else ["--text", "a"]
            done = chainrule(command, "--model", self.folder / "absent", *text, check=66)
            self.assertIn("absent", done.err)
            chainrule(command, "--model", self.folder, *text, check=66)  # a folder without a model
            chainrule(command, *text, check=64)  # no --model
            damaged = self.folder / command
            shutil.copytree(self.checkpoint, damaged)
            weights = bytearray((damaged / "model.h5").read_bytes())
            weights[len(weights) // 2] ^= 1
            (damaged / "model.h5").write_bytes(weights)
            done = chainrule(command, "--model", damaged, *text, check=65)
            self.assertIn("model.h5", done.err)

    def test_the_wrong_tokenizer(self):
        other = self.folder / "model"
        shutil.copytree(self.checkpoint, other)
        tokenizer = json.loads((other / "tokenizer.json").read_text(encoding="utf-8"))
        tokenizer["model"]["merges"] = tokenizer["model"]["merges"][::-1]
        (other / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
        chainrule("score", "--model", other, "--text", "a", check=65)

    def test_texts(self):
        self.expect_failure(65, "nothing to score", "score", "--text", "")
        self.expect_failure(65, "nothing to score", "score", input=b"")
        for command in ("score", "next"):
            self.expect_failure(64, ["--text", "--input"], command, "--text", "a", "--input", "b")
            self.expect_failure(66, "no such", command, "--input", self.folder / "no such")

    def test_options(self):
        self.expect_failure(64, "--temperature", "next", "--text", "a", "--temperature", 0)
        self.expect_failure(64, "--temperature", "next", "--text", "a", "--temperature", -1)
        self.expect_failure(64, "--top", "next", "--text", "a", "--top", 0)
        self.expect_failure(64, ["--promt", "--prompt"], "generate", "--promt", "a")
        for option, value, words in (("--temperature", -1, "temperature"), ("--temperature", "nan", "temperature"),
                                     ("--top-k", -1, "top-k"), ("--top-p", 0, "top-p"), ("--top-p", 1.1, "top-p"),
                                     ("--min-p", 2, "min-p"), ("--repetition-penalty", 0, "repetition penalty"),
                                     ("--repetition-penalty", 1e-300, "repetition penalty"),
                                     ("--repetition-penalty", 101, "repetition penalty"),
                                     ("--max-tokens", 0, "--max-tokens"), ("--samples", 0, "--samples"),
                                     ("--batch", 0, "--batch"), ("--max-tokens", 2**31, "--max-tokens"),
                                     ("--samples", 2**63 - 1, "--samples"), ("--batch", 2**63 - 1, "--batch"),
                                     ("--seed", -1, "--seed"), ("--threads", -1, "--threads")):
            self.expect_failure(64, words, "generate", "--prompt", "a", option, value)
        self.expect_failure(64, ["--prompt ", "--prompts"], "generate", "--prompt", "a", "--prompts", "b")
        for command in ("score", "next"):
            self.expect_failure(64, "--threads", command, "--text", "a", "--threads", -1)
        # Mistakes are named as they were typed.
        self.expect_failure(64, "unexpected argument 'first'", "next", "first", "--text", "a", "last")
        self.expect_failure(64, "unknown option '-m'", "next", "-m", "run")
        self.expect_failure(64, ["unknown option '-model'", "'--model'"], "next", "-model=run")

    def test_configuration_files(self):
        file = self.folder / "options"
        self.expect_failure(66, str(self.folder), "next", "--config", self.folder, "--text", "a")
        self.expect_failure(66, "no such", "next", "--config", self.folder / "no such", "--text", "a")
        file.write_text("seed = -1\n")
        self.expect_failure(64, "--seed", "generate", "--config", file, "--prompt", "a")
        file.write_text("texte = a\n")
        self.expect_failure(64, ["'--texte'", "'--text'", str(file)], "next", "--config", file)
        file.write_text("text = a\ninput = b\n")
        self.expect_failure(64, ["--text", "--input"], "next", "--config", file)
        file.write_text("text = a  # a comment\n")
        by_option = self.run_command("next", "--text", "a").out
        self.assertEqual(self.run_command("next", "--config", file).out, by_option)
        self.assertEqual(self.run_command("next", "--config", file, "--input", "-", input=b"a").out, by_option)

    def test_files_that_are_there_are_kept(self):
        for command, option in (("score", "--html"), ("next", "--svg")):
            path = self.folder / f"{command} output"
            path.write_text("mine")
            self.expect_failure(73, ["already there", option], command, "--text", "a", option, path)
            self.assertEqual(path.read_text(), "mine")
            self.expect_failure(73, path.name, command, "--text", "a", option, path / "file")
            made = self.folder / f"made for {command}" / "file"
            self.run_command(command, "--text", "a", option, made)
            self.assertTrue(made.is_file())
            self.expect_failure(64, option, command, "--text", "a", option, "")
            done = self.expect_failure(73, "x" * 250, command, "--text", "a", option, self.folder / ("x" * 250))
            self.assertNotIn("partial", done.err)

    def test_prompts(self):
        path = self.folder / "prompts.jsonl"
        for content, words in (("{\"prompt\": \"a\"}\n{oops\n", ["prompts.jsonl", "line 2"]), ("", "there are none"),
                               ("{\"text\": \"a\"}\n", "line 1"),
                               ("{\"prompt\": \"a\", \"id\": 18446744073709551616}\n", ["line 1", "id"])):
            path.write_text(content)
            self.expect_failure(65, words, "generate", "--prompts", path)
        self.expect_failure(66, "absent", "generate", "--prompts", self.folder / "absent")
        path.write_text("{\"prompt\": \"a\"}\n" + json.dumps({"prompt": "the old man. " * 60}) + "\n")
        self.expect_failure(64, ["prompts.jsonl' line 2", "context"], "generate", "--prompts", path)
        # What every rank finds, one says, and the launcher returns its code.
        done = self.run_command("generate", "--prompts", path, ranks=2, check=64)
        self.assertEqual(done.err.count("line 2"), 1)

    def test_a_full_device_is_an_error(self):
        for arguments in (["next", "--model", self.run_directory, "--text", "a"], ["--help"], ["--version"],
                          ["next", "--help"], ["inspect", self.run_directory], ["tokenizer", "--help"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 74, arguments)
            self.assertIn(b"No space left on device", done.stderr)

    def test_standard_error_that_cannot_be_written_changes_nothing_else(self):
        picture = self.folder / "next.svg"
        long_text = "the old man painted every house. " * 30
        for redirection in ("2>&-", "2>/dev/full"):
            for code, arguments in ((0, ["next", "--slide", "--text", long_text, "--svg", picture]),
                                    (64, ["next", "--nonsense"]), (66, ["next", "--input", "/no such"]),
                                    (0, ["generate", "--slide", "--prompt", long_text, "--max-tokens", "3"])):
                words = [PROGRAM, arguments[0], "--model", self.run_directory, *arguments[1:]]
                done = subprocess.run(["bash", "-c", f'"$@" {redirection}', "bash", *words], stdout=subprocess.PIPE,
                                      check=False)
                self.assertEqual(done.returncode, code, (redirection, arguments))
            self.assertTrue(picture.read_text(encoding="utf-8").startswith("<svg"), "nothing else was written into it")
            picture.unlink()

    def test_standard_streams_that_are_closed(self):
        base = [PROGRAM, "next", "--model", self.run_directory]
        for redirection, more in (("<&-", []), (">&-", ["--text", "a"])):
            done = subprocess.run(["bash", "-c", f'"$@" {redirection}', "bash", *base, *more], stderr=subprocess.PIPE,
                                  check=False)
            self.assertEqual(done.returncode, 74, redirection)
            self.assertIn(b"Bad file descriptor", done.stderr)

    def test_a_model_whose_path_is_no_utf8(self):
        odd = os.fsdecode(os.fsencode(self.folder) + b"/caf\xe9")
        shutil.copytree(self.checkpoint, odd)
        for command in ("score", "next"):
            done = subprocess.run([PROGRAM, command, "--json", "--model", odd, "--text", "a"], stdout=subprocess.PIPE,
                                  check=True)
            self.assertTrue(json.loads(done.stdout)["model"]["path"].endswith("caf\ufffd"))


if __name__ == "__main__":
    unittest.main()
