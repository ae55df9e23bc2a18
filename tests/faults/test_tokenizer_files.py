"""A property of tokenizer.json is honoured, or the file is refused by the property's name: ids are never silently
others than Hugging Face's. The ids were made by data/make_tokenizer_cases.py."""
import json
import pathlib
import tempfile
import unittest

from program import chainrule
from refusals import Refusals

CASES = json.loads((pathlib.Path(__file__).parent / "data/tokenizer_cases.json").read_text())

# What must not be refused.
HONOURED = ("split: Isolated False", "sequence of one", "empty normalizer",
            "no type of the model", "merges in pairs", "dropout of nothing", "prefix space",
            "a post-processor that adds nothing")


class TokenizerFiles(Refusals, unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="tokenizer files ")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def written(self, changes):
        definition = {**CASES["base"], **changes}
        definition["model"].setdefault("vocab", CASES["base"]["model"]["vocab"])
        path = self.folder / "tokenizer.json"
        path.write_text(json.dumps(definition))
        return path

    def encode(self, path, text):
        return chainrule("tokenizer", "encode", "--tokenizer", path, "--input", "-", "--special-tokens",
                         input=text.encode(), timeout=20)

    def test_ids_are_the_same_or_refused(self):
        for case in CASES["cases"]:
            path = self.written(case["changes"])
            for text, ids in case["texts"]:
                with self.subTest(case=case["name"], text=text):
                    done = self.encode(path, text)
                    if done.returncode == 0:
                        self.assertEqual([int(word) for word in done.out.split()], ids)
                    else:
                        self.assert_refused(done, 65, "tokenizer.json")
                        self.assertFalse(case["name"] in HONOURED, done.err)

    def test_unknown_properties_are_refused_by_name(self):
        for changes, name in (({"normalizer": {"type": "Replace", "pattern": {"Regex": "a"}, "content": "b"}}, "Replace"),
                              ({"normalizer": {"type": "Nonsense"}}, "Nonsense"),
                              ({"pre_tokenizer": {"type": "Metaspace"}}, "Metaspace"),
                              ({"pre_tokenizer": {"type": "Nonsense"}}, "Nonsense"),
                              ({"model": dict(CASES["base"]["model"], type="Unigram")}, "Unigram"),
                              ({"model": dict(CASES["base"]["model"], dropout=0.1)}, "dropout"),
                              ({"model": dict(CASES["base"]["model"], byte_fallback=True)}, "byte_fallback"),
                              ({"model": dict(CASES["base"]["model"], end_of_word_suffix="</w>")}, "end_of_word_suffix")):
            with self.subTest(changes=name):
                self.assert_refused(self.encode(self.written(changes), "a"), 65, "tokenizer.json", name)

    def test_messages_show_nothing_that_moves_the_terminal(self):
        changes = {"normalizer": {"type": "\u001b[2J\u0007\nchainrule: all is well"}}
        done = self.encode(self.written(changes), "a")
        self.assertEqual(done.returncode, 65)
        self.assertEqual(len(done.err.strip().splitlines()), 1, done.err)
        self.assertNotIn("\x1b", done.err)
        merges = dict(CASES["base"]["model"], merges=["t h", "\u001b[2J"])
        done = self.encode(self.written({"model": merges}), "a")
        self.assertEqual(done.returncode, 65)
        self.assertNotIn("\x1b", done.err)
        token = dict(CASES["base"]["added_tokens"][0], content="\x1b]0;x\x07", lstrip=True)
        done = self.encode(self.written({"added_tokens": [token]}), "a")
        self.assertNotIn("\x1b", done.err)
        self.assertNotEqual(done.returncode, 70)


if __name__ == "__main__":
    unittest.main()
