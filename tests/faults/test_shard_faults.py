"""What goes wrong around packing and data sets: one clear message, the right exit code, nothing that looks whole."""
import os
import unittest

from packing import TOKENIZER, PackTest, write_corpus
from program import chainrule


class PackFaults(PackTest):
    def fails(self, code, said, *more, output="data", ranks=(None, 3), **options):
        """Every rank count gives the same code and one message; nothing new is left in the folder."""
        for count in ranks:
            before = sorted(self.folder.rglob("*"))
            done = self.pack(output, *more, ranks=count, check=code, **options)
            messages = [line for line in done.err.splitlines() if line.startswith("chainrule:")]
            self.assertEqual(len(messages), 1, done.err)
            self.assertIn(said, messages[0])
            self.assertEqual(sorted(self.folder.rglob("*")), before)

    def test_bad_options(self):
        write_corpus(self.corpus, lines=2)
        for options, said in ((("--held-out", "1.5"), "--held-out 1.5"), (("--held-out", "0"), "--held-out 0"),
                              (("--held-out", "nan"), "--held-out nan"), (("--shard-tokens", "0"), "--shard-tokens 0"),
                              (("--shard-tokens", "-5"), "--shard-tokens -5"), (("--deflate", "10"), "--deflate 10"),
                              (("--domain", "code"), "NAME=PATH"), (("--domain", "=x"), "NAME=PATH"),
                              (("--helt-out", "0.1"), "did you mean '--held-out'"),
                              (("--domain", f"a={self.corpus}", f"b={self.corpus}"), "two domains")):
            self.fails(64, said, *options, ranks=(2,))
        self.fails(64, "--input", inputs=False, ranks=(None,))

    def test_missing_inputs(self):
        self.fails(66, "corpus'")
        write_corpus(self.corpus, lines=2)
        self.fails(66, "absent'", "--domain", "x=" + str(self.folder / "absent"))
        done = chainrule("pack", "--tokenizer", self.folder / "none.json", "--input", self.corpus, "--output",
                         self.folder / "data", ranks=2, check=66)
        self.assertIn("none.json", done.err)

    @unittest.skipIf(os.geteuid() == 0, "root reads every file")
    def test_unreadable_file(self):
        write_corpus(self.corpus, lines=2)
        (self.corpus / "b.txt").chmod(0)
        self.fails(66, "b.txt")

    def test_bad_lines(self):
        write_corpus(self.corpus, lines=50)
        for line, said in (('{"text": "open', "invalid JSON"), ('{"body": 1}', "no field 'text'"),
                           ('{"text": 7}', "not a string"), ("[]", "not a JSON object")):
            with open(self.corpus / "z.jsonl", "w") as file:
                file.write('{"text": "fine"}\n\n' * 3 + line + "\n")
            self.fails(65, f"z.jsonl' line 7: ", ranks=(None, 2))
            self.fails(65, said, ranks=(3,))

    def test_nothing_to_pack(self):
        self.corpus.mkdir()
        self.fails(65, "no file")
        (self.corpus / "a.jsonl").write_text("\n\n")
        self.fails(65, "no document")
        (self.corpus / "a.jsonl").write_text('{"text": "one"}\n')
        self.fails(65, "'held-out' without any", "--held-out", "0.000001")
        self.fails(65, "'train' without any", "--held-out", "0.999999")

    def test_used_or_impossible_outputs(self):
        write_corpus(self.corpus, lines=2)
        self.pack("data")
        before = (self.folder / "data" / "index.json").read_bytes()
        self.fails(73, "there already")
        self.assertEqual((self.folder / "data" / "index.json").read_bytes(), before)
        self.fails(73, "there already", output="data/index.json")
        self.fails(73, "cannot create", output="data/index.json/below")
        done = chainrule("pack", "--tokenizer", TOKENIZER, "--input", self.corpus, "--output", "/proc/data", check=73)
        self.assertIn("/proc/data", done.err)


class DataSetFaults(PackTest):
    def setUp(self):
        super().setUp()
        write_corpus(self.corpus, lines=20)
        self.pack("data", "--shard-tokens", 2000)
        self.set = self.folder / "data"
        self.shard = self.set / "shard-00001.h5"

    def inspect(self, path, code, said):
        done = chainrule("inspect", path, check=code)
        self.assertIn(said, done.err)
        self.assertNotIn("verified", done.out)

    def test_a_flipped_byte_is_found_and_named(self):
        content = self.shard.read_bytes()
        for at in range(0, len(content), len(content) // 20):
            self.shard.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1:])
            self.inspect(self.set, 65, "shard-00001.h5")

    def test_truncated_and_missing_shards(self):
        content = self.shard.read_bytes()
        for length in (0, 7, len(content) // 2, len(content) - 1):
            self.shard.write_bytes(content[:length])
            self.inspect(self.set, 65, "shard-00001.h5")
            self.inspect(self.shard, 65, "shard-00001.h5")
        self.shard.unlink()
        self.inspect(self.set, 66, "shard-00001.h5")

    def test_altered_index_and_tokenizer(self):
        index = self.set / "index.json"
        text = index.read_text()
        index.write_text(text.replace('"documents": 1', '"documents": 2', 1))
        self.inspect(self.set, 65, "index.json")
        index.write_text(text[:-20])
        self.inspect(self.set, 65, "index.json")
        index.write_text(text)
        tokenizer = self.set / "tokenizer.json"
        tokenizer.write_text(tokenizer.read_text() + " ")
        self.inspect(self.set, 65, "tokenizer.json")

    def test_what_is_nothing_of_ours(self):
        self.inspect(self.folder / "absent", 66, "absent")
        self.inspect(self.corpus, 65, "corpus")
        self.inspect(self.corpus / "b.txt", 65, "b.txt")
        self.inspect(self.corpus / "a.jsonl", 65, "a.jsonl")
        other = self.folder / "other.h5"
        other.write_bytes(b"no HDF5")
        self.inspect(other, 65, "other.h5")


if __name__ == "__main__":
    unittest.main()
