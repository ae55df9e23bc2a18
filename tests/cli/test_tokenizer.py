"""chainrule tokenizer train, encode and decode, as a person runs them."""
import hashlib
import json
import pathlib
import random
import struct
import tempfile
import unittest

from packing import write_tokenizer_that_gives_up
from program import SOURCE, chainrule

FIXTURE = SOURCE / "tests/io/tokenizer/data"
EXPECTED = json.loads((FIXTURE / "sample.ids.json").read_text())
SHARED = SOURCE.parent / "shared/data"


class TokenizerTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="chainrule tokenizer ")
        self.folder = pathlib.Path(self.scratch.name)

    def tearDown(self):
        self.scratch.cleanup()

    def file(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def assertNothingLeft(self, *kept):
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), sorted(kept))


class EncodeDecode(TokenizerTest):
    def test_ids_of_the_fixture_in_a_file_and_as_text(self):
        for tokenizer in (FIXTURE / "tokenizer.json", FIXTURE / "gpt2"):
            output = self.folder / f"{tokenizer.name}.u32"
            chainrule("tokenizer", "encode", "--tokenizer", tokenizer, "--input", FIXTURE / "sample.txt",
                      "--output", output, check=0)
            ids = EXPECTED["sample"]
            self.assertEqual(output.read_bytes(), struct.pack(f"<{len(ids)}I", *ids))
            done = chainrule("tokenizer", "encode", "--tokenizer", tokenizer, "--input", FIXTURE / "sample.txt", check=0)
            self.assertEqual(done.out, " ".join(map(str, ids)) + "\n")

    def test_any_bytes_come_back_across_blocks(self):
        randomness = random.Random(11)
        text = (FIXTURE / "sample.txt").read_bytes()
        content = b"".join(randomness.choice((text, b"\n", randomness.randbytes(997), b"a" * 3000)) for _ in range(9000))
        self.assertGreater(len(content), 2 * 4 * 1024 * 1024)
        source = self.file("bytes", content)
        chainrule("tokenizer", "encode", "--tokenizer", FIXTURE, "--input", source, "--output", self.folder / "ids",
                  check=0)
        chainrule("tokenizer", "decode", "--tokenizer", FIXTURE, "--input", self.folder / "ids", "--output",
                  self.folder / "back", check=0)
        self.assertEqual((self.folder / "back").read_bytes(), content)
        self.assertNothingLeft("bytes", "ids", "back")

    def test_the_space_that_a_text_begins_with_is_left_out_once(self):
        families = json.loads((FIXTURE / "families.json").read_text())
        tokenizer = self.file("tokenizer.json", json.dumps(families["base"]).encode())
        vocabulary = families["base"]["model"]["vocab"]
        word = next(token for token in vocabulary if token.startswith("\u2581") and len(token) > 1)
        count = 2 * 1024 * 1024 + 3  # more than a block of 4 MiB
        ids = self.file("ids", struct.pack(f"<{count}I", *[vocabulary[word]] * count))
        chainrule("tokenizer", "decode", "--tokenizer", tokenizer, "--input", ids, "--output", self.folder / "text",
                  check=0)
        text = (self.folder / "text").read_text()
        self.assertEqual(text, (word.replace("\u2581", " ") * count)[1:])

    def test_standard_input_and_output(self):
        text = "the text \N{GRINNING FACE}".encode() + b"\xff\x00"
        ids = chainrule("tokenizer", "encode", "--tokenizer", FIXTURE, "--input", "-", input=text, check=0).out
        packed = b"".join(struct.pack("<I", int(word)) for word in ids.split())
        done = chainrule("tokenizer", "decode", "--tokenizer", FIXTURE, "--input", "-", input=packed, check=0)
        self.assertEqual(done.stdout, text)
        self.assertEqual(chainrule("tokenizer", "encode", "--tokenizer", FIXTURE, "--input", "-", input=b"", check=0).out,
                         "\n")

    def test_special_tokens_are_matched_on_request(self):
        text = EXPECTED["text_with_special"].encode()
        for options, key in (((), "special_as_text"), (("--special-tokens",), "special_matched")):
            done = chainrule("tokenizer", "encode", "--tokenizer", FIXTURE, "--input", "-", *options, input=text, check=0)
            self.assertEqual([int(word) for word in done.out.split()], EXPECTED[key])

    def test_bad_ids_leave_no_output(self):
        for content, words in ((struct.pack("<3I", 1, 2, 422), "token 422 at offset 2 is outside the vocabulary of 422"),
                               (b"\0" * 10, "2 bytes follow the 2 whole ids")):
            ids = self.file("ids", content)
            done = chainrule("tokenizer", "decode", "--tokenizer", FIXTURE, "--input", ids, "--output",
                             self.folder / "text", check=65)
            self.assertIn(words, done.err)
            self.assertIn(str(ids), done.err)
            self.assertNothingLeft("ids")

    def test_a_text_on_which_the_pattern_fails_is_named(self):
        tokenizer = self.folder / "tokenizer.json"
        bad = write_tokenizer_that_gives_up(tokenizer)
        text = self.file("text", bad.encode())
        for source, name in ((text, text), ("-", "standard input")):
            done = chainrule("tokenizer", "encode", "--tokenizer", tokenizer, "--input", source, "--output",
                             self.folder / "ids", input=bad.encode(), check=65)
            self.assertIn(f"'{name}': matching the pattern '(?:x+x+)+y' at byte", done.err)
        self.assertNothingLeft("tokenizer.json", "text")

    def test_inputs_and_outputs_that_will_not_do(self):
        for action in ("encode", "decode"):
            taken = self.file("taken", b"keep me")
            missing = self.folder / "missing"
            run = lambda *options, check: chainrule("tokenizer", action, *options, check=check).err
            self.assertIn("missing", run("--tokenizer", FIXTURE, "--input", missing, check=66))
            self.assertIn("missing", run("--tokenizer", missing, "--input", taken, check=66))
            self.assertIn(self.scratch.name, run("--tokenizer", FIXTURE, "--input", self.folder, check=66))
            self.assertIn("already there",
                          run("--tokenizer", FIXTURE, "--input", taken, "--output", taken, check=73))
            self.assertIn("cannot create",
                          run("--tokenizer", FIXTURE, "--input", taken, "--output", taken / "x", check=73))
            self.assertIn("is not JSON", run("--tokenizer", taken, "--input", taken, check=65))
            self.assertIn("--input", run("--tokenizer", FIXTURE, check=64))
            self.assertIn("did you mean '--input'", run("--imput", taken, check=64))
            self.assertEqual(taken.read_bytes(), b"keep me")
            self.assertNothingLeft("taken")

    def test_a_full_disk_is_an_input_output_error(self):
        if not pathlib.Path("/dev/full").exists():
            self.fail("/dev/full, which this test writes to, is not there")
        import subprocess
        from program import PROGRAM
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "tokenizer", "encode", "--tokenizer", FIXTURE, "--input",
                                   FIXTURE / "sample.txt"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 74, done.stderr)

    def test_gpt2_gives_gpt2s_ids(self):
        text = SHARED / "tinyshakespeare.txt"
        if not text.exists():
            print(f"NOT RUN: GPT-2's own vocabulary is not in {SHARED}; the project's fixture was checked above")
            return
        ids = self.folder / "ids"
        chainrule("tokenizer", "encode", "--tokenizer", SHARED / "gpt2", "--input", text, "--output", ids, check=0)
        self.assertEqual(ids.stat().st_size, 4 * 338025)
        self.assertEqual(hashlib.sha256(ids.read_bytes()).hexdigest(),
                         "0c00ab83dc7f46665805762aa7688fb7852f03f28c4a5d84061871e85ea7c815")
        print(f"ran with GPT-2's own vocabulary from {SHARED}")


class Train(TokenizerTest):
    def train(self, *inputs, size=300, name="tokenizer.json", check=0, options=(), ranks=None):
        return chainrule("tokenizer", "train", "--input", *inputs, "--vocabulary-size", size, "--output",
                         self.folder / name, *options, check=check, ranks=ranks)

    def test_learns_what_the_independent_implementation_learned(self):
        done = self.train(FIXTURE / "sample.txt", size=422)
        learned = json.loads((self.folder / "tokenizer.json").read_text())
        theirs = json.loads((FIXTURE / "tokenizer.json").read_text())
        self.assertEqual(learned["model"]["merges"], [" ".join(merge) for merge in theirs["model"]["merges"]])
        self.assertEqual(learned["model"]["vocab"],
                         {**theirs["model"]["vocab"], "<|endoftext|>": 421})
        self.assertIn("422 tokens", done.err)
        self.assertNotIn("only", done.err)

    def test_same_text_same_bytes_whatever_form_it_has(self):
        lines = (FIXTURE / "sample.txt").read_bytes().decode().splitlines(keepends=True)
        for number, line in enumerate(lines):
            self.file(f"texts/{number % 3}/{number}.txt", line.encode())
        self.file("lines.jsonl", b"".join(json.dumps({"body": line}).encode() + b"\n" for line in lines))
        self.train(self.folder / "texts", name="a.json")
        self.train(self.folder / "texts", name="b.json")
        self.train(self.folder / "lines.jsonl", name="c.json", options=("--text-field", "body"))
        first = (self.folder / "a.json").read_bytes()
        self.assertEqual(first, (self.folder / "b.json").read_bytes())
        self.assertEqual(first, (self.folder / "c.json").read_bytes())

    def test_too_little_text_gives_a_smaller_vocabulary_and_says_so(self):
        done = self.train(FIXTURE / "sample.txt", size=50000)
        self.assertIn("yields only 422 tokens of the 50000 asked for", done.err)
        self.assertEqual(len(json.loads((self.folder / "tokenizer.json").read_text())["model"]["vocab"]), 422)

    def test_one_process_does_the_work_under_a_launcher(self):
        self.train(FIXTURE / "sample.txt", name="alone.json")
        done = self.train(FIXTURE / "sample.txt", name="launched.json", ranks=3)
        self.assertEqual(done.err.count("fingerprint"), 1)
        self.assertEqual((self.folder / "alone.json").read_bytes(), (self.folder / "launched.json").read_bytes())
        self.train(self.folder / "missing", name="none.json", ranks=3, check=66)

    def test_mistakes(self):
        taken = self.file("tokenizer.json", b"keep me")
        self.assertIn("already there", self.train(FIXTURE / "sample.txt", check=73).err)
        self.assertEqual(taken.read_bytes(), b"keep me")
        taken.unlink()
        self.assertIn("257", self.train(FIXTURE / "sample.txt", size=256, check=64).err)
        self.assertIn("257", self.train(FIXTURE / "sample.txt", size=-1, check=64).err)
        self.assertIn("missing", self.train(self.folder / "missing", check=66).err)
        self.assertIn("no text", self.train(self.file("empty", b""), check=65).err)
        self.assertIn("bad.jsonl", self.train(self.file("bad.jsonl", b"{}\n"), check=65).err)
        self.train(FIXTURE / "sample.txt", name="empty/tokenizer.json", check=73)
        self.assertNothingLeft("empty", "bad.jsonl")


class Usage(TokenizerTest):
    def test_help_and_mistyped_actions(self):
        self.assertIn("train", chainrule("tokenizer", "--help", check=0).out)
        for action in ("train", "encode", "decode"):
            self.assertIn("--output", chainrule("tokenizer", action, "--help", check=0).out)
        self.assertIn("did you mean 'train'", chainrule("tokenizer", "trian", check=64).err)
        self.assertIn("say one of train, encode, decode", chainrule("tokenizer", check=64).err)


if __name__ == "__main__":
    unittest.main()
