"""For each tokenizer: whether chainrule gives the ids of `tokenizers`, or of `tiktoken` for files of ranks; in how long.

    python tokenizer_ids.py BUILD FOLDER [NAME...]     FOLDER: made by vocabularies.py; NAME: only these

The libraries take no invalid UTF-8. chainrule keeps each such byte: the row `bytes` is equal where decoding gives them
back. Some vocabularies lack bytes, SmolLM2's 21: the row `lacking` has characters that are spelled with these; the library
drops such bytes, and so does chainrule. Form C is of Unicode 9 or so in `tokenizers` and of utf8proc's version here: words
of marks that came later, of which the two make something else, are left out.
"""
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

import numpy
import tiktoken
from tokenizers import ByteLevelBPETokenizer, Tokenizer, normalizers

from vocabularies import CHARACTERS, LLAMA3, QWEN2, ranks_of

SITE = pathlib.Path(numpy.__file__).parents[1]
NFC = normalizers.NFC()

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
    made = ("".join(rng.choices(letters, k=rng.randrange(1, 9))) for _ in range(count))
    return " ".join(each for each in made if NFC.normalize_str(each) == unicodedata.normalize("NFC", each))


def english_and_code():
    """4 MB of the documentation and the sources of the packages here."""
    files = sorted(path for ending in ("md", "rst", "txt", "py") for path in SITE.rglob(f"*.{ending}"))
    rng, size, parts = random.Random(7), 0, []
    rng.shuffle(files)
    for file in files:
        part = file.read_bytes()[:100_000].decode("utf-8", "ignore")
        parts.append(part)
        size += len(part)
        if size > 4_000_000:
            return "".join(parts)
    raise SystemExit(f"{SITE} has too little text")


def with_bytes(lacking, points, rng):
    """Characters whose UTF-8 holds these bytes, between others."""
    found = [chr(at) for at in points if not lacking.isdisjoint(chr(at).encode())]
    return "".join(f" a{each}b{each}{each}" for each in rng.choices(found, k=20_000)) if found else ""


def texts(lacking):
    """Name and strings, of which each is encoded alone; random characters are of Python's version of Unicode, 14 in
    3.11."""
    rng = random.Random(5)
    points = [at for at in range(0x110000) if unicodedata.category(chr(at)) not in ("Cn", "Cs")]
    emoji = [chr(at) for at in points if 0x1F300 <= at < 0x1FB00] + ["\u200d", "\ufe0f"]
    yield "strings", ["".join(rng.choices(PARTS, k=rng.randrange(30))) for _ in range(100_000)]
    yield "characters", ["".join(chr(rng.choice(points)) for _ in range(300_000))]
    yield "runs", ["".join(part * 3000 for part in PARTS)]
    yield "forty scripts", [words(rng, letters, 2000) for letters in scripts()]
    yield "emoji", ["".join(rng.choices(emoji, k=100_000))]
    yield "lacking", [with_bytes(lacking, points, rng)]
    yield "English and code", [english_and_code()]
    long = "".join(rng.choices("etaoinshrdlucmfw", k=10_000_000))
    yield "1 MB, no space", [long[:1_000_000]]
    yield "10 MB, no space", [long]


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
    """What gives the ids of strings; and the bytes that no token is."""
    if name in RANKS:
        ranks = ranks_of(next(folder.iterdir()))
        encoding = tiktoken.Encoding(name, pat_str=RANKS[name], mergeable_ranks=ranks, special_tokens={})
        composed = (lambda text: unicodedata.normalize("NFC", text)) if name.startswith("qwen") else str
        return lambda strings: [encoding.encode_ordinary(composed(text)) for text in strings], set()
    if (folder / "tokenizer.json").exists():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.encode_special_tokens = True
    else:
        tokenizer = ByteLevelBPETokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    vocabulary = tokenizer.get_vocab()
    lacking = {byte for byte, spelling in enumerate(CHARACTERS) if spelling not in vocabulary}
    encode = lambda strings: [each.ids for each in tokenizer.encode_batch(strings, add_special_tokens=False)]
    return encode, set() if "<0x00>" in vocabulary else lacking


def encoded(build, folder, strings, scratch):
    """Their ids, and the seconds that encoding took."""
    with open(scratch / "strings", "wb") as file:
        for string in strings:
            data = string.encode()
            file.write(len(data).to_bytes(4, "little") + data)
    done = subprocess.run([build / "tests/parity/encode_strings", folder, scratch / "strings", scratch / "ids"],
                          check=True, capture_output=True)
    numbers, at, ids = numpy.fromfile(scratch / "ids", "<u4"), 0, []
    for _ in strings:
        ids.append(numbers[at + 1:at + 1 + numbers[at]].tolist())
        at += 1 + int(numbers[at])
    return ids, float(done.stdout)


def main():
    build, root = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    different = total = 0
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        for folder in sorted(root.iterdir()):
            if sys.argv[3:] and folder.name not in sys.argv[3:]:
                continue
            kept = keeps_bytes(build / "chainrule", folder, scratch)
            print(f"{folder.name:20}{'bytes':17}{'equal' if kept else 'DIFFERENT'}", flush=True)
            ids_of, lacking = reference(folder.name, folder)
            short = 0.0
            different += not kept
            for kind, strings in texts(lacking):
                size = sum(len(string.encode()) for string in strings)
                if size == 0:
                    continue
                ids, seconds = encoded(build, folder, strings, scratch)
                equal = ids == ids_of(strings)
                if kind == "1 MB, no space":
                    short = seconds
                linear = kind != "10 MB, no space" or seconds < 20 * short + 0.2
                different += not (equal and linear)
                total += size
                print(f"{folder.name:20}{kind:17}{size:>10} bytes {sum(map(len, ids)):>8} ids  "
                      f"{'equal' if equal else 'DIFFERENT'}  {seconds:6.2f} s  {size / seconds / 1e6:5.1f} MB/s"
                      f"{'' if linear else '  NOT LINEAR'}{f'  lacks {len(lacking)} bytes' if kind == 'lacking' else ''}",
                      flush=True)
    print(f"{total / 1e6:.0f} MB in all; {different} rows that are not as they should be")
    sys.exit(different != 0)


if __name__ == "__main__":
    main()
