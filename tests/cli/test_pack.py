"""`chainrule pack` and `chainrule inspect` from the outside."""
import json
import os
import subprocess
import unittest

import h5py

from packing import (Decoder, PackTest, files_of, read_set, words, write_corpus,
                     write_tokenizer_that_gives_up)
from program import PROGRAM, chainrule


class Pack(PackTest):
    def test_a_domain_whose_name_is_not_utf8_is_refused(self):
        done = self.pack("data", "--domain", os.fsdecode(b"caf\xe9=") + str(self.corpus / "code"), check=64)
        self.assertIn("a name is UTF-8", done.err)
        self.assertFalse((self.folder / "data").exists())

    def test_a_pipe_is_no_tokenizer_of_several_ranks(self):
        os.mkfifo(self.folder / "pipe")
        write_corpus(self.corpus)
        for more in ((), ("--tokenizer", self.folder / "tokenizer.json", "--config")):
            options = (*more, self.folder / "pipe") if more else ("--tokenizer", self.folder / "pipe")
            done = chainrule("pack", *options, "--input", self.corpus, "--output", self.folder / "data", ranks=2, check=64)
            self.assertIn("pipe' is a pipe, of which several ranks would each read a part", done.err)

    def test_a_text_on_which_the_pattern_fails_is_named(self):
        path = self.folder / "tokenizer.json"
        bad = write_tokenizer_that_gives_up(path)
        self.corpus.mkdir()
        for name, text, place in (("lines.jsonl", f'{{"text": "fine"}}\n{{"text": "{bad}"}}\n', " line 2"),
                                  ("plain.txt", bad, ""), ("long.txt", "fine " * (14 << 20) + bad, "")):
            (self.corpus / name).write_text(text)
            done = chainrule("pack", "--tokenizer", path, "--input", self.corpus / name, "--output", self.folder / "data",
                             ranks=2, check=65)
            self.assertIn(f"'{self.corpus / name}'{place}: matching the pattern '(?:x+x+)+y' at byte", done.err)
            self.assertFalse((self.folder / "data").exists())

    def test_every_document_comes_back(self):
        documents = write_corpus(self.corpus)
        decoder = Decoder()
        done = self.pack("data", "--shard-tokens", 3000, "--domain", f"code={self.corpus}/code",
                         f"deep={self.corpus}/code/sub", ranks=2)
        packed, index = read_set(self.folder / "data")
        self.assertEqual(len(packed), len(documents))
        self.assertGreater(len(index["shards"]), 3)
        for (tokens, domain, size, count, source, line), (text, expected_source, expected_line) in zip(packed, documents):
            self.assertEqual(decoder.decode(tokens), text)
            self.assertEqual((size, count), (len(text), words(text)), text)
            self.assertEqual((source, line), (expected_source, expected_line))
            below = expected_source[len(str(self.corpus)) + 1:]
            self.assertEqual(domain, "deep" if "code/sub/" in below else "code" if "code/" in below else "default")
        self.assertEqual(index["document_count"], len(documents))
        self.assertEqual(index["token_count"], sum(len(each[0]) + 1 for each in packed))
        self.assertEqual((index["vocabulary_size"], index["end_of_text_id"]), (decoder.size, decoder.end_of_text))
        by_domain = {each["name"]: each for each in index["domains"]}
        self.assertEqual(list(by_domain), ["default", "code", "deep"])
        for name, entry in by_domain.items():
            mine = [each for each in packed if each[1] == name]
            self.assertEqual((entry["documents"], entry["tokens"], entry["bytes"], entry["words"]),
                             (len(mine), sum(len(e[0]) + 1 for e in mine), sum(e[2] for e in mine),
                              sum(e[3] for e in mine)))
        empty = sum(1 for text, _, _ in documents if not text)
        self.assertGreater(empty, 0)
        self.assertIn(f"{empty} of the documents are empty", done.out)

    def test_the_shard_is_as_documented(self):
        write_corpus(self.corpus, lines=20)
        for options, deflate in ((), None), (("--deflate", 5), 5):
            self.pack(f"data {deflate}", *options)
            with h5py.File(self.folder / f"data {deflate}" / "shard-00000.h5", "r") as file:
                tokens = file["tokens"]
                self.assertEqual((tokens.dtype.str, tokens.ndim, tokens.chunks), ("<u2", 1, (16384,)))
                self.assertEqual((tokens.fletcher32, tokens.compression_opts), (True, deflate))
                self.assertTrue(all(each.fletcher32 for each in file.values()))
                types = {name: file[name].dtype.str for name in file if file[name].dtype.kind == "u"}
                self.assertEqual(types, {"tokens": "<u2", "document_offsets": "<u8", "document_bytes": "<u8",
                                         "document_words": "<u8", "document_domain": "<u2", "document_source": "<u4",
                                         "document_line": "<u8", "document_text_hash": "<u8"})
                self.assertEqual(file.attrs["format"], b"chainrule token shard")
                self.assertEqual(file.attrs["format_version"], 1)

    def test_the_same_bytes_on_any_number_of_ranks(self):
        write_corpus(self.corpus, lines=500)
        (self.corpus / "big.txt").write_text("some plain text\n" * 20_000)
        options = ("--domain", f"code={self.corpus}/code", "--held-out", 0.2, "--shard-tokens", 5000, "--deflate", 1)
        first = None
        for ranks in (None, 1, 2, 3, 4, 7):
            self.pack(f"data {ranks}", *options, ranks=ranks)
            made = files_of(self.folder / f"data {ranks}")
            first = first or made
            self.assertEqual(list(made), list(first))
            for name in first:
                self.assertEqual(made[name], first[name], f"{name} on {ranks} ranks")
        self.assertGreater(len(first), 10)

    def test_held_out_documents_are_chosen_by_their_bytes_alone(self):
        documents = write_corpus(self.corpus)
        decoder = Decoder()
        self.pack("data", "--held-out", 0.25)
        parts = {name: [decoder.decode(each[0]) for each in read_set(self.folder / "data" / name)[0]]
                 for name in ("train", "held-out")}
        self.assertEqual(sorted(parts["train"] + parts["held-out"]), sorted(text for text, _, _ in documents))
        self.assertFalse(set(parts["train"]) & set(parts["held-out"]))
        share = len(set(parts["held-out"])) / len({text for text, _, _ in documents})
        self.assertTrue(0.15 < share < 0.35, share)
        chosen = set(parts["held-out"])
        self.assertEqual(parts["held-out"], [text for text, _, _ in documents if text in chosen])
        # XXH3-64 of the empty text is 2d06800538d394c2, a fraction of 0.176 of 2^64.
        self.assertIn(b"", chosen)
        self.pack("less", "--held-out", 0.17)
        less = {decoder.decode(each[0]) for each in read_set(self.folder / "less" / "held-out")[0]}
        self.assertLess(less, chosen)
        self.assertNotIn(b"", less)

    def test_fewer_documents_than_ranks_and_longer_ones_than_shards(self):
        self.corpus.mkdir()
        for name, text in (("a", "one two three " * 50), ("b", ""), ("c", "x")):
            (self.corpus / name).write_text(text)
        for ranks in (1, 7):
            self.pack(f"data {ranks}", "--shard-tokens", 2, ranks=ranks)
        self.assertEqual(files_of(self.folder / "data 1"), files_of(self.folder / "data 7"))
        packed, index = read_set(self.folder / "data 1")
        self.assertEqual([each[2] for each in packed], [700, 0, 1])
        self.assertEqual([each["documents"] for each in index["shards"]][0], 1)
        self.assertEqual([each["file"] for each in index["shards"]],
                         [f"shard-{i:05}.h5" for i in range(len(index["shards"]))])

    def test_a_file_given_twice_is_packed_once(self):
        write_corpus(self.corpus, lines=5)
        self.pack("once")
        self.pack("twice", "--input", self.corpus / "b.txt", self.corpus / "." / "code")
        self.assertEqual(read_set(self.folder / "once")[1]["fingerprint"],
                         read_set(self.folder / "twice")[1]["fingerprint"])

    def test_text_field(self):
        documents = write_corpus(self.corpus, lines=10)
        self.pack("data", "--text-field", "body")
        decoder = Decoder()
        packed = [decoder.decode(each[0]) for each in read_set(self.folder / "data")[0] if each[5]]
        self.assertEqual(packed, [text.decode()[::-1].encode() for text, _, line in documents if line])

    def test_a_long_plain_file_is_encoded_in_parts_as_it_would_be_whole(self):
        self.corpus.mkdir()
        piece = "naïve words,\u2003 “語” 12345 \n\n\t tail\U0001f600 and more"
        text = "".join(f"{piece}{number} " for number in range(1_200_000))
        self.assertGreater(len(text.encode()), 66 << 20)
        texts = [text, *map(str, range(8))]
        for number, each in enumerate(texts):
            (self.corpus / f"{number}.txt").write_text(each)
        (self.folder / "whole.jsonl").write_text("".join(json.dumps({"text": each}) + "\n" for each in texts))
        self.pack("parts", "--held-out", 0.5, ranks=2)
        self.pack("whole", "--input", self.folder / "whole.jsonl", "--held-out", 0.5, inputs=False)
        for name in ("train", "held-out"):
            parts, whole = (read_set(self.folder / each / name)[0] for each in ("parts", "whole"))
            self.assertEqual([each[2:4] for each in parts], [each[2:4] for each in whole])
            self.assertTrue(all((one[0] == other[0]).all() for one, other in zip(parts, whole)))

    def test_an_empty_folder_may_be_the_output(self):
        write_corpus(self.corpus, lines=3)
        (self.folder / "data").mkdir()
        self.pack("data/")
        self.assertTrue((self.folder / "data" / "index.json").exists())

    def test_inspect(self):
        documents = write_corpus(self.corpus, lines=30)
        self.pack("data", "--held-out", 0.3)
        pair = json.loads(chainrule("inspect", self.folder / "data", "--json", check=0).out)
        self.assertEqual(pair["kind"], "pair of data sets")
        self.assertEqual(pair["train"]["documents"] + pair["held-out"]["documents"], len(documents))
        for path, kind in (("data/train", "data set"), ("data/train/index.json", "data set"),
                           ("data/train/shard-00000.h5", "token shard"), ("data/train/tokenizer.json", "tokenizer")):
            done = chainrule("inspect", self.folder / path, check=0)
            self.assertTrue(done.out.startswith(f"kind: {kind}\n"), done.out)
        done = subprocess.run([PROGRAM, "inspect", "."], cwd=self.folder / "data" / "train", capture_output=True)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
