"""A file system that fails while something is written: one message with the file's name and 73 or 74, never success,
nothing half-made under a final name, and what was there stays."""
import shutil
import subprocess
import unittest

from evaluation import EvaluationTest
from failing_calls import failing
from packing import TOKENIZER, PackTest, write_corpus
from pretraining import PretrainTest
from program import PROGRAM, chainrule
from refusals import Refusals, copied, state_of
from text_model import TextModelTest

ERRORS = ("ENOSPC", "EIO", "EDQUOT")


class FailingWrites(Refusals):
    def sweep(self, part, run, after, calls=("write", "fsync", "create", "rename", "truncate"), errors=ERRORS):
        """Each call on paths that hold `part` fails from its first, second, ... use on; `run(environment)` runs the
        program, `after(done)` looks at what is left and cleans up. Ends with the first use that is never reached."""
        for call in calls:
            for number, error in zip((0, 1, 2, 3, 5, 8, 13, 21), errors * 8):
                with self.subTest(call=call, after=number, error=error):
                    done = run(failing(f"{call}:{part}:{error}:after={number}"))
                    if done.returncode != 0:
                        self.assert_refused(done, (73, 74))
                        self.assertNotIn("internal error", done.err)
                        self.assertNotRegex(done.err, "(?m)^, ")  # what HDF5 has to say is one line, too
                    after(done)
                if done.returncode == 0:
                    break


class PackWrites(FailingWrites, PackTest):
    def test_pack(self):
        write_corpus(self.corpus, lines=3)

        def after(done):
            names = sorted(path.name for path in self.folder.iterdir())
            if done.returncode == 0:
                chainrule("inspect", self.folder / "new", check=0)
                shutil.rmtree(self.folder / "new")
            else:
                self.assertNotIn("new", names)
                for name in set(names) - {"corpus"}:
                    self.assertIn(name, done.err)  # what is kept is named
                    shutil.rmtree(self.folder / name)

        self.sweep("/new", lambda environment: chainrule(
            "pack", "--tokenizer", TOKENIZER, "--input", self.corpus, "--output", self.folder / "new",
            env=environment, timeout=20), after, errors=("ENOSPC",))


class EvaluateWrites(FailingWrites, EvaluationTest):
    def test_evaluate(self):
        def after(done):
            report = self.folder / "report"
            self.assertEqual(report.exists(), done.returncode == 0)
            for path in list(self.folder.iterdir()):
                if path != report:
                    self.assertIn(path.name, done.err)
                path.unlink() if path.suffix == ".journal" else shutil.rmtree(path)

        self.sweep("/report", lambda environment: chainrule(*self.options(), env=environment, timeout=20), after,
                   errors=("ENOSPC",))


class TextWrites(FailingWrites, TextModelTest):
    def test_single_files(self):
        model = ["--model", self.run_directory, "--text", "a"]
        text = ["--input", self.home / "text/0.txt"]
        for command in (["tokenizer", "train", *text, "--vocabulary-size", 260, "--output"],
                        ["tokenizer", "encode", "--tokenizer", self.home / "tokenizer.json", *text, "--output"],
                        ["score", *model, "--html"], ["next", *model, "--svg"]):
            def after(done):
                self.assertEqual((self.folder / "new").exists(), done.returncode == 0)
                for path in list(self.folder.iterdir()):
                    kept = path.name
                    path.unlink()
                    if kept != "new":
                        self.assertIn(f"complete in '{path}'", done.err)  # what is kept is whole, and named

            with self.subTest(command=command[:2]):
                self.sweep("/new", lambda environment: chainrule(*command, self.folder / "new", env=environment), after)

    def test_requests(self):
        requests = self.home / "requests.jsonl"
        requests.write_text('{"context": "the cat", "continuation": " sat on"}\n' * 3)

        def after(done):
            self.assertEqual((self.folder / "new").exists(), done.returncode == 0)
            for path in list(self.folder.iterdir()):
                if path.name != "new":
                    self.assertIn(path.name, done.err)  # what is kept is named
                path.unlink()

        self.sweep("/new", lambda environment: chainrule(
            "evaluate", "--model", self.run_directory, "--requests", requests, "--output", self.folder / "new",
            env=environment, timeout=20), after, errors=("ENOSPC",))

    def test_standard_output(self):
        for command in (["score", "--text", "a"], ["next", "--text", "a"], ["generate", "--prompt", "a", "--max-tokens", 2]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([PROGRAM, command[0], "--model", self.run_directory, *map(str, command[1:])],
                                      stdout=full, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 74, done.stderr)


class PretrainWrites(FailingWrites, PretrainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        maker = cls()
        PretrainTest.setUp(maker)
        maker.train()
        cls.whole = state_of(maker.run_folder)
        cls.begun = maker.run_folder
        cls.hash = maker.weights_hash()
        shutil.rmtree(maker.checkpoint(6))

    def setUp(self):
        super().setUp()
        copied(self.begun, self.run_folder)

    def test_a_resumed_run(self):
        """Whatever fails, the checkpoint that was there stays, and the same command comes to the same weights."""
        before = {name: content for name, content in state_of(self.run_folder).items()
                  if name.startswith("checkpoints/step-00000004")}

        def after(done):
            if done.returncode != 0:
                state = state_of(self.run_folder)
                self.assertEqual({name: state.get(name) for name in before}, before)
                self.assertFalse([name for name in state if "damaged" in name])
                self.train()
            self.assertEqual(self.weights_hash(), self.hash)
            self.assertFalse([name for name in state_of(self.run_folder) if "partial" in name])
            shutil.rmtree(self.run_folder)
            copied(self.begun, self.run_folder)

        def run(environment):
            return self.train(check=None, env=environment)

        for part, calls in (("/checkpoints", ("fsync", "create", "rename")),
                            ("config.cfg", ("write", "fsync", "create", "rename")),
                            ("environment.json", ("write", "create")), ("metrics.jsonl", ("write", "create", "truncate")),
                            ("/lock", ("create", "write", "truncate"))):
            self.sweep(part, run, after, calls=calls, errors=("ENOSPC",))

    def test_writes_of_a_checkpoint(self):
        for name in ("model.h5", "optimizer", "state.json", "manifest.json", "model.json", "tokenizer.json"):
            for error in ERRORS[:1] if name.endswith("json") else ERRORS:
                with self.subTest(name=name, error=error):
                    done = self.train(check=None, env=failing(f"write:step-00000006.partial/{name}:{error}:1"))
                    self.assert_refused(done, (73, 74), "step-00000006")
                    self.assertNotRegex(done.err, "(?m)^, ")
                    self.assertEqual(self.checkpoints(), ["step-00000004"])

    def test_reads_of_what_was_written(self):
        """It is compared before it counts: a read that fails then is no success."""
        done = self.train(check=None, env=failing("read:step-00000006.partial/model.h5:EIO:1"))
        self.assert_refused(done, 74, "step-00000006")
        self.assertEqual(self.checkpoints(), ["step-00000004"])


if __name__ == "__main__":
    unittest.main()
