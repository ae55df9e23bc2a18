"""One row a tokenizer: whether chainrule gives the ids of `tokenizers`, or of `tiktoken` for files of ranks.

    python tokenizer_ids.py PROGRAM FOLDER [NAME...]     FOLDER: made by vocabularies.py; NAME: only these

The libraries take no invalid UTF-8. chainrule keeps each such byte: the row `bytes` is equal where decoding gives them
back. (SmolLM2 has no token for some bytes that text does not hold; these the library drops, and so does chainrule.)
"""
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import unicodedata

import numpy
import tiktoken
from tokenizers import Tokenizer

from vocabularies import LLAMA3, QWEN2, ranks_of

LETTERS = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
END = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
START = r"[^\r\n\p{L}\p{N}]?"
LLAMA4 = (START + LETTERS[0] + "*" + LETTERS[1] + "+" + END + START + LETTERS[0] + "+" + LETTERS[1] + "*" + END +
          r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN36 = QWEN2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]", r"[^\s\p{L}\p{M}\p{N}]")
RANKS = {"llama3": LLAMA3, "llama4": LLAMA4, "qwen": QWEN2, "qwen3.6": QWEN36}
PARTS = ["the", " ", "  ", "\n", "\r\n", "\t", "'s", "'LL", "12345", "½", "٣", "é", "e\u0301", "世界", "ひらカナ", "हिन्दी",
         "😀", "👩🏽‍💻", "!?", "--", "_x", "ABCdef", "\u00a0", "\u3000", "\u0001", "ß", "ſ", "\u212a", "한국", "\u0323"]


def scripts():
    """Letters and marks by script, as the first word of a character's name says: the forty with the most, ideographs
    among them."""
    found = {}
    for at in range(0x80, 0x20000):
        if unicodedata.category(chr(at))[0] in "LM":
            found.setdefault(unicodedata.name(chr(at), "OTHER").split()[0], []).append(chr(at))
    found["LATIN"] += "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return sorted(found.values(), key=len, reverse=True)[:40]


def words(rng, letters, count):
    return " ".join("".join(rng.choices(letters, k=rng.randrange(1, 9))) for _ in range(count))


def texts():
    """Name and text; random characters are of Python's version of Unicode, 14 in 3.11."""
    rng = random.Random(5)
    points = [at for at in range(0x110000) if unicodedata.category(chr(at)) not in ("Cn", "Cs")]
    emoji = [chr(at) for at in points if 0x1F300 <= at < 0x1FB00] + ["\u200d", "\ufe0f"]
    yield "100,000 strings", "\n".join("".join(rng.choices(PARTS, k=rng.randrange(1, 30))) for _ in range(100_000))
    yield "characters", "".join(chr(rng.choice(points)) for _ in range(300_000))
    yield "runs", "".join(part * 3000 for part in PARTS)
    yield "forty scripts", "\n".join(words(rng, letters, 2000) for letters in scripts())
    yield "emoji", "".join(rng.choices(emoji, k=100_000))
    yield "10 MB, no space", "".join(rng.choices("etaoinshrdlucmfw", k=10_000_000))


def keeps_bytes(program, folder, scratch):
    """Whether bytes that begin no character, among others, are decoded as they were."""
    rng = random.Random(6)
    data = bytes(rng.choice([*range(32, 127), *range(0xC2, 0xEF)]) for _ in range(100_000))
    (scratch / "text").write_bytes(data)
    for name in ("ids", "decoded"):
        (scratch / name).unlink(missing_ok=True)
    common = ["--tokenizer", folder]
    subprocess.run([program, "tokenizer", "encode", *common, "--input", scratch / "text", "--output", scratch / "ids"],
                   check=True)
    subprocess.run([program, "tokenizer", "decode", *common, "--input", scratch / "ids", "--output",
                    scratch / "decoded"], check=True)
    return (scratch / "decoded").read_bytes() == data


def reference(name, folder):
    if name in RANKS:
        file = next(folder.iterdir())
        encoding = tiktoken.Encoding(name, pat_str=RANKS[name], mergeable_ranks=ranks_of(file), special_tokens={})
        composed = name.startswith("qwen")
        return lambda text: encoding.encode_ordinary(unicodedata.normalize("NFC", text) if composed else text)
    if not (folder / "tokenizer.json").exists():
        from tokenizers import ByteLevelBPETokenizer
        pair = ByteLevelBPETokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
        return lambda text: pair.encode(text).ids
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def encoded(program, folder, text, scratch):
    (scratch / "text").write_bytes(text.encode())
    (scratch / "ids").unlink(missing_ok=True)
    begin = time.monotonic()
    subprocess.run([program, "tokenizer", "encode", "--tokenizer", folder, "--input", scratch / "text", "--output",
                    scratch / "ids"], check=True)
    return numpy.fromfile(scratch / "ids", dtype="<u4").tolist(), time.monotonic() - begin


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    different = 0
    with tempfile.TemporaryDirectory() as scratch:
        for folder in sorted(root.iterdir()):
            if sys.argv[3:] and folder.name not in sys.argv[3:]:
                continue
            kept = keeps_bytes(program, folder, pathlib.Path(scratch))
            different += not kept
            print(f"{folder.name:20}{'bytes':17}{'equal' if kept else 'DIFFERENT'}", flush=True)
            ids_of = reference(folder.name, folder)
            for kind, text in texts():
                ids, seconds = encoded(program, folder, text, pathlib.Path(scratch))
                equal = ids == ids_of(text)
                different += not equal
                print(f"{folder.name:20}{kind:17}{len(text.encode()):>10} bytes {len(ids):>8} ids  "
                      f"{'equal' if equal else 'DIFFERENT'}  {seconds:.2f} s with loading", flush=True)
    sys.exit(different != 0)


if __name__ == "__main__":
    main()
