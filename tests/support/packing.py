"""A corpus with everything that packing meets, and data sets read back with plain h5py."""
import json
import pathlib
import random
import re
import tempfile
import unittest

import h5py

from program import SOURCE, chainrule

TOKENIZER = SOURCE / "tests/io/tokenizer/data/gpt2"


def byte_of_character():
    """The inverse of GPT-2's map from bytes to printable characters."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {**{chr(byte): byte for byte in plain}, **{chr(256 + i): byte for i, byte in enumerate(others)}}


class Decoder:
    def __init__(self):
        to_byte = byte_of_character()
        vocabulary = json.loads((TOKENIZER / "vocab.json").read_text())
        self.size = len(vocabulary)
        self.end_of_text = vocabulary["<|endoftext|>"]
        self.bytes = {number: bytes(to_byte[c] for c in spelling) for spelling, number in vocabulary.items()
                      if number != self.end_of_text}

    def decode(self, tokens):
        return b"".join(self.bytes[int(token)] for token in tokens)


def write_tokenizer_that_gives_up(path):
    """Writes a tokenizer.json whose pattern, (?:x+x+)+y, the engine gives up on in what this returns."""
    tokenizer = json.loads((SOURCE / "tests/io/tokenizer/data/tokenizer.json").read_text())
    split = {"type": "Split", "pattern": {"Regex": "(?:x+x+)+y"}, "behavior": "Isolated", "invert": False}
    tokenizer["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [
        split, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]}
    path.write_text(json.dumps(tokenizer))
    return "x" * 40 + " y"


def words(text):
    return len(re.split(r"\s+", text.decode("utf-8", "surrogateescape")))


def write_corpus(folder, seed=1, lines=300):
    """Writes text files and JSONL below folder; returns (text, source, line) of every document, in stream order."""
    rng = random.Random(seed)

    def text(longest):
        return " ".join(rng.choice(["alpha", "naïve", "\n", "x1", "", "\t", "\u2003", "語", "tokens", "<|endoftext|>"])
                        for _ in range(rng.randrange(longest)))

    documents = []
    folder = pathlib.Path(folder)
    for name in ("a.jsonl", "b.txt", "code/main.c", "code/sub/empty.c", "code/sub/z.c", "notes.txt", "z.jsonl"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".jsonl"):
            rows = []
            for line in range(1, lines + 1):
                if rng.random() < 0.1:
                    rows.append(rng.choice(["", "  "]))
                    continue
                body = text(60) if rng.random() > 0.05 else ""
                rows.append(json.dumps({"n": line, "text": body, "body": body[::-1]}))
                documents.append((body.encode(), str(path), line))
            path.write_text("\n".join(rows) + rng.choice(["", "\n"]))
        else:
            body = b"" if "empty" in name else text(4000).encode() + b"\xff\x00\xe2\x80 end"
            path.write_bytes(body)
            documents.append((body, str(path), 0))
    return documents


def read_set(folder):
    """Documents of a data set: (tokens without end-of-text, domain, bytes, words, source, line), and its index."""
    folder = pathlib.Path(folder)
    index = json.loads((folder / "index.json").read_text())
    documents = []
    for shard in index["shards"]:
        with h5py.File(folder / shard["file"], "r") as file:
            attributes, tokens, offsets = dict(file.attrs), file["tokens"][:], file["document_offsets"][:]
            domains = [name.decode() for name in file["domains"][:]]
            sources = [name.decode() for name in file["sources"][:]]
            assert attributes["token_count"] == len(tokens) == shard["tokens"]
            assert attributes["document_count"] == len(offsets) - 1 == shard["documents"]
            for i in range(len(offsets) - 1):
                part = tokens[offsets[i]:offsets[i + 1]]
                assert part[-1] == attributes["end_of_text_id"]
                documents.append((part[:-1], domains[file["document_domain"][i]], int(file["document_bytes"][i]),
                                  int(file["document_words"][i]), sources[file["document_source"][i]],
                                  int(file["document_line"][i])))
    return documents, index


def files_of(folder):
    """Every file below folder with its bytes."""
    folder = pathlib.Path(folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class PackTest(unittest.TestCase):
    """A folder of its own (with a space in its name), `corpus` in it, and nothing left beside what was made."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="pack tests ")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.corpus = self.folder / "corpus"

    def pack(self, output, *more, ranks=None, check=0, inputs=True):
        given = ["--input", self.corpus] if inputs else []
        done = chainrule("pack", "--tokenizer", TOKENIZER, *given, "--output", self.folder / output, *more,
                         ranks=ranks, check=check)
        self.assertEqual([p.name for p in self.folder.iterdir() if "partial" in p.name], [], done.err)
        return done
