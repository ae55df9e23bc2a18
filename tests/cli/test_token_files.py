"""Token files of llm.c, Megatron and nanoGPT, made here from their formats: packed, exported, trained on and evaluated
where they lie; and JSON lines that are packed or come on standard input."""
import ctypes
import ctypes.util
import gzip
import json
import random
import shutil
import struct
import unittest

from packing import Decoder, PackTest, TOKENIZER, read_set, words
from program import MPIRUN, MPIRUN_FLAGS, PROGRAM, chainrule, read_back, run_bounded
from refusals import Refusals
from views import in_views

DECODER = Decoder()
END = DECODER.end_of_text


def some_documents(count=40, seed=5):
    """Tokens of documents, an empty one among them."""
    rng = random.Random(seed)
    ids = sorted(DECODER.bytes)
    return [[]] + [[rng.choice(ids) for _ in range(rng.randrange(1, 60))] for _ in range(count)]


def write_llmc(path, tokens, magic=20240520, version=1, kind="H"):
    path.write_bytes(struct.pack("<256i", magic, version, len(tokens), *[0] * 253)
                     + struct.pack(f"<{len(tokens)}{kind}", *tokens))


def write_megatron(prefix, sequences, documents, code=8, kind="H"):
    """documents: for each the number of its sequences."""
    size = struct.calcsize(kind)
    pointers, indices = [], [0]
    for sequence in sequences:
        pointers.append(pointers[-1] + size * len(last) if pointers else 0)
        last = sequence
    for count in documents:
        indices.append(indices[-1] + count)
    prefix.with_suffix(".bin").write_bytes(b"".join(struct.pack(f"<{len(s)}{kind}", *s) for s in sequences))
    prefix.with_suffix(".idx").write_bytes(
        b"MMIDIDX\0\0" + struct.pack("<QBQQ", 1, code, len(sequences), len(indices))
        + struct.pack(f"<{len(sequences)}i", *map(len, sequences)) + struct.pack(f"<{len(pointers)}q", *pointers)
        + struct.pack(f"<{len(indices)}q", *indices))


def read_llmc(path):
    data = path.read_bytes()
    magic, version, count = struct.unpack_from("<3i", data)
    kind = {(20240520, 1): "H", (20240801, 7): "I"}[magic, version]
    return list(struct.unpack_from(f"<{count}{kind}", data, 1024)), len(data) - 1024 - count * struct.calcsize(kind)


def zstd(text):
    library = ctypes.CDLL(ctypes.util.find_library("zstd"))
    library.ZSTD_compressBound.restype = library.ZSTD_compress.restype = ctypes.c_size_t
    packed = ctypes.create_string_buffer(library.ZSTD_compressBound(ctypes.c_size_t(len(text))))
    size = library.ZSTD_compress(packed, ctypes.c_size_t(len(packed)), text, ctypes.c_size_t(len(text)), 3)
    return packed.raw[:size]


class TokenFiles(PackTest):
    def setUp(self):
        super().setUp()
        self.corpus.mkdir()
        self.documents = some_documents()

    def expect_packed(self, documents, *inputs, options=(), ranks=None):
        """What is packed is these documents, counted on their text, on any number of ranks."""
        for number in (None, 2, 3) if ranks is None else (ranks,):
            output = f"out {random.random()}"
            done = self.pack(output, "--input", *inputs, "--shard-tokens", 300, *options, ranks=number, inputs=False)
            packed, index = read_set(self.folder / output)
            self.assertEqual([list(map(int, each[0])) for each in packed], documents)
            for tokens, _, size, count, _, _ in packed:
                text = DECODER.decode(tokens)
                self.assertEqual((size, count), (len(text), words(text)))
        return packed, done

    def write_llmc_shards(self, cuts=(0, 7, 400, 401, 5000)):
        """End-of-text before each document, cut anywhere."""
        stream = [token for document in self.documents for token in [END, *document]]
        paths = []
        for begin, end in zip(cuts, cuts[1:]):
            paths.append(self.corpus / f"train_{len(paths):06}.bin")
            write_llmc(paths[-1], stream[begin:end])
        return paths

    def test_llmc_shards(self):
        paths = self.write_llmc_shards()
        for inputs in ([self.corpus], [self.corpus / "train_"], paths):
            packed, _ = self.expect_packed(self.documents, *inputs)
        self.assertEqual([(packed[0][4], packed[0][5]), (packed[1][4], packed[1][5])],
                         [(str(paths[0]), 1), (str(paths[0]), 2)])
        self.assertEqual(packed[-1][4], str(paths[3]))
        lines = [each[5] for each in packed if each[4] == str(paths[1])]
        self.assertEqual(lines, list(range(1, len(lines) + 1)))

    def test_a_large_file_is_cut_among_ranks_and_its_documents_counted(self):
        documents = self.documents * 300
        write_llmc(self.corpus / "a.bin", [token for document in documents for token in [END, *document]])
        self.assertGreater((self.corpus / "a.bin").stat().st_size, 4 * 65536)
        packed, _ = self.expect_packed(documents, self.corpus / "a.bin", ranks=3)
        self.assertEqual([each[5] for each in packed], list(range(1, len(documents) + 1)))

    def test_nanogpt_by_name_of_the_format_alone(self):
        stream = [token for document in self.documents for token in [*document, END]]
        (self.corpus / "train.bin").write_bytes(struct.pack(f"<{len(stream)}H", *stream))
        (self.corpus / "prepare.py").write_text("no tokens")
        _, done = self.expect_packed(self.documents, self.corpus, options=("--format", "nanogpt"))
        self.assertIn("1 no token file by name", done.err)
        (self.corpus / "train.bin").write_bytes(struct.pack(f"<{len(stream) - 1}H", *stream[:-1]))
        _, done = self.expect_packed(self.documents, self.corpus / "train.bin", options=("--format", "nanogpt"))
        self.assertIn("1 of the documents came as tokens without an end-of-text: it was added", done.out)
        done = self.pack("auto", "--input", self.corpus / "train.bin", inputs=False, check=65)
        self.assertIn("is no text (binary)", done.err)

    def test_megatron_with_and_without_end_of_text(self):
        sequences, counts, bare = [], [], 0
        for number, document in enumerate(self.documents):
            whole = document + ([END] if number % 3 else [])
            bare += number % 3 == 0
            parts = [whole[:5], whole[5:]] if len(whole) > 5 else [whole] if whole else []
            sequences += parts
            counts.append(len(parts))
        for code, kind in ((8, "H"), (4, "i"), (5, "q")):
            write_megatron(self.corpus / "text_document", sequences, counts, code, kind)
            for given in (self.corpus, self.corpus / "text_document", self.corpus / "text_document.bin",
                          self.corpus / "text_document.idx"):
                _, done = self.expect_packed(self.documents, given, ranks=2)
                self.assertIn(f"{bare} of the documents came as tokens without", done.out)

    def test_text_and_tokens_have_their_domains(self):
        write_llmc(self.corpus / "a.bin", [END, 40, END, 41])
        (self.corpus / "b.txt").write_text("H")
        self.pack("data", "--domain", f"tokens={self.corpus}/a.bin", f"text={self.corpus}/b.txt", inputs=False)
        packed, _ = read_set(self.folder / "data")
        self.assertEqual([(list(each[0]), each[1]) for each in packed],
                         [([40], "tokens"), ([41], "tokens"), ([39], "text")])

    def test_the_same_documents_are_held_out_as_of_text(self):
        texts = [f"document {number} of some text\n" for number in range(60)]
        (self.corpus / "text.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        self.pack("text", "--input", self.corpus / "text.jsonl", "--held-out", 0.3, inputs=False)
        self.pack("whole", "--input", self.corpus / "text.jsonl", inputs=False)
        chainrule("export", "--data", self.folder / "whole", "--format", "megatron", "--output", self.folder / "m",
                  check=0)
        self.pack("tokens", "--input", self.folder / "m", "--held-out", 0.3, inputs=False)
        for part in ("train", "held-out"):
            one, other = (read_set(self.folder / name / part)[0] for name in ("text", "tokens"))
            self.assertEqual([(list(a[0]), a[2], a[3]) for a in one], [(list(a[0]), a[2], a[3]) for a in other])

    def test_export_and_back(self):
        write_llmc(self.corpus / "a.bin", [token for document in self.documents for token in [END, *document]])
        self.pack("data", "--shard-tokens", 100)
        for form, options in (("llm.c", ("--shard-tokens", 64)), ("llm.c", ()), ("megatron", ())):
            for ranks in (None, 2):
                name = f"{form} {ranks} {len(options)}"
                done = chainrule("export", "--data", self.folder / "data", "--format", form, "--output",
                                 self.folder / name, *options, check=0, ranks=ranks)
                self.assertIn(f"{len(self.documents)} documents", done.out)
                self.expect_packed(self.documents, self.folder / name, ranks=1)
        stream = [token for document in self.documents for token in [END, *document]]
        written = [read_llmc(path) for path in sorted((self.folder / "llm.c 2 2").iterdir())]
        self.assertEqual([token for tokens, _ in written for token in tokens], stream)
        self.assertTrue(all(len(tokens) == 64 for tokens, _ in written[:-1]))
        self.assertTrue(all(rest == 0 for _, rest in written))
        done = chainrule("export", "--data", self.folder / "data", "--format", "llm.c", "--output", self.folder / "data",
                         check=73)
        self.assertIn("is there already", done.err)
        self.assertEqual([path.name for path in self.folder.iterdir() if "partial" in path.name], [])

    def test_damaged_files_are_named(self):
        whole = self.write_llmc_shards(cuts=(0, 5000))[0].read_bytes()
        path = self.corpus / "train_000000.bin"
        for content, said in ((whole[:-1], "cut off"), (whole + b"x", "1 bytes follow at offset"),
                              (whole[:4] + b"\2" + whole[5:], "version 2"), (whole[:1000], "inside the header"),
                              (whole[:8] + struct.pack("<i", -3) + whole[12:], "-3 tokens"),
                              (whole[:-2] + b"\xff\xff", f"outside the vocabulary of {DECODER.size}")):
            path.write_bytes(content)
            for ranks in (None, 2):
                done = self.pack("damaged", "--input", path, inputs=False, check=65, ranks=ranks)
                self.assertIn(said, done.err)
                self.assertIn(path.name, done.err)
        write_megatron(self.corpus / "m", [[1, 2], [3]], [1, 1])
        index = self.corpus / "m.idx"
        index.write_bytes(index.read_bytes()[:-8] + struct.pack("<q", 7))
        done = self.pack("damaged", "--input", self.corpus / "m", inputs=False, check=65)
        self.assertIn("document index 2 is 7, there are 2 sequences", done.err)
        self.assertIn("m.idx", done.err)


class InPlace(Refusals, PackTest):
    """A tiny model is trained on token files and evaluated on them: as on the data set that packing them makes."""

    def setUp(self):
        super().setUp()
        self.corpus.mkdir()
        self.documents = some_documents(60)
        stream = [token for document in self.documents for token in [END, *document]]
        for number, begin in enumerate(range(0, len(stream), 500)):
            write_llmc(self.corpus / f"train_{number}.bin", stream[begin:begin + 500])
        write_megatron(self.folder / "m", self.documents, [1] * len(self.documents))
        self.pack("data")
        self.tokenizer = self.folder / "data/tokenizer.json"

    def options(self, name, data, *more):
        return ("pretrain", "--data", data, "--run", self.folder / name, "--model", "tiny", "--layers", 1, "--heads", 1,
                "--width", 16, "--sequence-length", 32, "--steps", 3, "--global-batch", 4, "--micro-batch", 2,
                "--validate-every", 3, *more)

    def pretrain(self, name, data, *more, check=0, ranks=None):
        return chainrule(*self.options(name, data, *more), check=check, ranks=ranks)

    def weights(self, done):
        return next(word for line in done.err.splitlines() if "weights_hash" in line
                    for word in [line.split("weights_hash ")[1].split(";")[0]])

    def test_training_and_evaluation_are_those_of_the_packed_data(self):
        packed = self.weights(self.pretrain("packed", self.folder / "data", "--validation-data", self.folder / "data"))
        for name, data in (("llmc", self.corpus), ("llmc 2", self.corpus / "train_"), ("megatron", self.folder / "m")):
            done = self.pretrain(name, data, "--tokenizer", TOKENIZER, "--validation-data", data,
                                 ranks=2 if name == "llmc 2" else None)
            self.assertEqual(self.weights(done), packed)
            self.assertIn("validation loss", done.err)
        reports = {}
        for name, data in (("packed", self.folder / "data"), ("llmc", self.corpus), ("megatron", self.folder / "m")):
            for ranks in (None, 2):
                done = chainrule("evaluate", "--model", self.folder / name, "--data", data, "--report",
                                 self.folder / f"report {name} {ranks}", check=0, ranks=ranks)
                report = json.loads((self.folder / f"report {name} {ranks}/report.json").read_text())
                fingerprint = report.pop("data_fingerprint")
                reports.setdefault(name, []).append((fingerprint, report))
        self.assertEqual(reports["packed"][0], reports["packed"][1])
        for name in ("llmc", "megatron"):
            self.assertEqual(reports[name][0], reports[name][1])
            self.assertEqual(reports[name][0][1], reports["packed"][0][1])
            self.assertNotEqual(reports[name][0][0], reports["packed"][0][0])
        self.assertNotEqual(reports["llmc"][0][0], reports["megatron"][0][0])

    def test_the_tokenizer_is_named_where_it_is_needed_and_only_there(self):
        done = self.pretrain("run", self.corpus, check=64)
        self.assertIn("name their tokenizer with --tokenizer", done.err)
        done = self.pretrain("run", self.folder / "data", "--tokenizer", TOKENIZER, check=64)
        self.assertIn("a data set has its own", done.err)
        self.assertFalse((self.folder / "run").exists())

    def test_a_run_goes_on_with_the_same_files_alone(self):
        self.pretrain("run", self.corpus, "--tokenizer", TOKENIZER)
        done = self.pretrain("run", self.corpus, "--tokenizer", self.tokenizer)
        self.assertIn("is finished", done.err)
        first = self.corpus / "train_0.bin"
        data = bytearray(first.read_bytes())
        data[1026] ^= 1
        first.write_bytes(data)
        done = self.pretrain("run", self.corpus, "--tokenizer", TOKENIZER, check=64)
        self.assertIn("option '--data'", done.err)

    def test_another_start_token_on_one_rank_is_refused(self):
        """Which validation texts are read behind; the tokens are the same."""
        views = [self.folder / "one", self.folder / "two"]
        for view in views:
            (view / "tokenizer").mkdir(parents=True)
            shutil.copy(self.tokenizer, view / "tokenizer")
        options = self.options("run", self.corpus, "--tokenizer", "tokenizer", "--validation-data", self.corpus)
        in_views(views, *options, "--dry-run", check=0)
        (views[1] / "tokenizer/tokenizer_config.json").write_text('{"bos_token": "a"}')
        done = in_views(views, *options)
        self.assert_refused(done, 65, "the training data")
        self.assertFalse((self.folder / "run/checkpoints").exists())

    def test_data_of_another_tokenizer_is_outside_the_vocabulary(self):
        write_llmc(self.folder / "other.bin", [END, 60000])
        done = self.pretrain("run", self.folder / "other.bin", "--tokenizer", TOKENIZER, check=65, ranks=2)
        self.assertEqual(done.err.count(f"outside the vocabulary of {DECODER.size}"), 1, done.err)


class PackedLines(PackTest):
    def setUp(self):
        super().setUp()
        self.corpus.mkdir()
        self.texts = [f"text {number} " * (number % 7) for number in range(200)]
        self.lines = "".join(json.dumps({"text": text, "page": f"<{text}> {number}"}) + "\n"
                             for number, text in enumerate(self.texts)).encode()
        (self.folder / "plain.jsonl").write_bytes(self.lines)
        self.pack("plain", "--input", self.folder / "plain.jsonl", inputs=False)
        self.plain = read_set(self.folder / "plain")[0]

    def without_source(self, documents):
        return [(list(each[0]), *each[1:4], each[5]) for each in documents]

    def expect_plain(self, output):
        self.assertEqual(self.without_source(read_set(self.folder / output)[0]), self.without_source(self.plain))

    def test_gzip_and_zstd(self):
        for name, packed in (("a.jsonl.gz", gzip.compress(self.lines)), ("b.jsonl.zst", zstd(self.lines)),
                             ("c.json.gz", gzip.compress(self.lines)), ("d", zstd(self.lines))):
            (self.folder / name).write_bytes(packed)
            for ranks in (None, 3):
                self.pack(f"{name} {ranks}", "--input", self.folder / name, inputs=False, ranks=ranks)
                self.expect_plain(f"{name} {ranks}")
            (self.folder / name).write_bytes(packed[:-5])
            done = self.pack("cut", "--input", self.folder / name, inputs=False, check=65)
            self.assertIn(name, done.err)

    def test_standard_input(self):
        for ranks in (None, 3):
            for content in (self.lines, gzip.compress(self.lines), zstd(self.lines)):
                output = self.folder / f"out {ranks} {len(content)}"
                command = [PROGRAM, "pack", "--tokenizer", TOKENIZER, "--domain", "web=-", "--output", output]
                if ranks:
                    command = [MPIRUN, *MPIRUN_FLAGS, "-n", str(ranks), *command]
                read_back(run_bounded([*map(str, command)], 120, input=content), 0)
                packed, _ = read_set(output)
                self.assertEqual([(list(each[0]), each[1], each[4], each[5]) for each in packed],
                                 [(list(each[0]), "web", "-", each[5]) for each in self.plain])
        done = read_back(run_bounded([PROGRAM, "pack", "--tokenizer", str(TOKENIZER), "--input", "-", "--output",
                                      str(self.folder / "bad")], 120, input=b'{"text": "a"}\n{"n": 1}\n'), 65)
        self.assertIn("'-' line 2: no field 'text'", done.err)

    def test_count_field(self):
        self.pack("counted", "--input", self.folder / "plain.jsonl", "--count-field", "page", inputs=False, ranks=2)
        packed, _ = read_set(self.folder / "counted")
        for number, (text, each, plain) in enumerate(zip(self.texts, packed, self.plain)):
            page = f"<{text}> {number}".encode()
            self.assertEqual(list(each[0]), list(plain[0]))
            self.assertEqual((each[2], each[3]), (len(page), words(page)))
        done = self.pack("none", "--input", self.folder / "plain.jsonl", "--count-field", "body", inputs=False, check=65)
        self.assertIn("line 1: no field 'body'", done.err)


if __name__ == "__main__":
    unittest.main()
