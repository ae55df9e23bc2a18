"""Makes families.json with `tokenizers` (0.23.3), `sentencepiece` (0.2.3) and `protobuf`:

    pip install tokenizers sentencepiece protobuf && python3 make_families.py

`files`: small tokenizer.json files in the forms of families that cases.json does not hold, with texts and their ids.
`pieces`: a SentencePiece BPE model as a GGUF file holds it, with texts and the ids of `sentencepiece`; its runs of
spaces have one score, as Llama 2's have.
"""
import io
import json
import pathlib
import random

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, __version__

HERE = pathlib.Path(__file__).resolve().parent
SPACE = "\u2581"
PARTS = ["the", "king", " ", "  ", "   ", "     ", "\n", "\t", "'s", "I'LL", "12345", "\u00bd", "\u00e9", "e\u0301", "\u4e16\u754c",
         "\u3072\u3089", "\u0939\u093f", "\U0001f600", "!?", "--", "_x", "ABc", "\u00a0", "\u3000", SPACE, "<s>", "\u0001", "\ud55c"]


def texts():
    rng = random.Random(7)
    return ["", " ", "the king", "  the  king ", SPACE + "x", " " * 37] + [
        "".join(rng.choice(PARTS) for _ in range(rng.randrange(1, 30))) for _ in range(60)]


def trained():
    """The model of pieces, trained on the sample and on runs of spaces."""
    lines = (HERE / "sample.txt").read_text(encoding="utf-8").splitlines() * 4
    lines += ["the king  and   the    queen      went         home" + " " * 16 + "at last"] * 40
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=480, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, allow_whitespace_only_pieces=True,
        character_coverage=0.98, minloglevel=2)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    for piece in proto.pieces:
        if len(piece.piece) > 1 and set(piece.piece) == {SPACE}:
            piece.score = -1e9
    return proto


def merges_of(proto):
    """As transformers makes them: by score, then by the lengths of the parts, all descending."""
    ids = {piece.piece: number for number, piece in enumerate(proto.pieces)}
    merges = []
    for piece in proto.pieces:
        if piece.type != 1:
            continue
        cuts = [(piece.piece[:at], piece.piece[at:]) for at in range(1, len(piece.piece))]
        cuts = sorted((cut for cut in cuts if cut[0] in ids and cut[1] in ids), key=lambda cut: (ids[cut[0]], ids[cut[1]]))
        merges += [(piece.score, len(left), len(right), left, right) for left, right in cuts]
    return [[left, right] for *_, left, right in sorted(merges, key=lambda merge: merge[:3], reverse=True)]


def added(number, content, **changes):
    return {"id": number, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True, **changes}


def sentencepiece_files(proto):
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
    decoder = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    root = {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [added(at, proto.pieces[at].piece) for at in range(3)], "normalizer": None,
            "pre_tokenizer": None, "post_processor": None, "decoder": decoder,
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
                      "vocab": {piece.piece: number for number, piece in enumerate(proto.pieces)},
                      "merges": merges_of(proto)}}
    prepend = {"type": "Prepend", "prepend": SPACE}
    yield "Prepend and Replace", {**root, "normalizer": {"type": "Sequence", "normalizers": [prepend, replace]}}
    for scheme in ("first", "always", "never"):
        for split in (False, True):
            step = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": scheme, "split": split}
            yield f"Metaspace {scheme}, split {split}", {**root, "pre_tokenizer": step}
    tokens = [added(0, "<unk>"), added(1, "<s>", normalized=True, special=False), added(2, "</s>")]
    yield "a normalized token", {**root, "added_tokens": tokens,
                                 "normalizer": {"type": "Sequence", "normalizers": [prepend, replace]}}


def byte_level_files():
    base = json.loads((HERE / "tokenizer.json").read_text(encoding="utf-8"))
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    yield "NeoX", {**base, "normalizer": {"type": "NFC"}, "pre_tokenizer": level, "post_processor": level}
    split = lambda pattern: {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    deepseek = [split(r"\p{N}{1,3}"), split("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"), split(
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
        "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"), {**level, "use_regex": False}]
    yield "DeepSeek", {**base, "normalizer": {"type": "Sequence", "normalizers": []},
                       "pre_tokenizer": {"type": "Sequence", "pretokenizers": deepseek}}


def main():
    proto = trained()
    made = []
    base = None
    for name, file in [*sentencepiece_files(proto), *byte_level_files()]:
        tokenizer = Tokenizer.from_str(json.dumps(file))
        tokenizer.encode_special_tokens = True
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts()]
        base = base or file
        changes = {key: value for key, value in file.items() if value != base[key]}
        made.append({"name": name, "changes": changes, "ids": ids})
    spm = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
    pieces = {"tokens": [piece.piece for piece in proto.pieces], "scores": [piece.score for piece in proto.pieces],
              "types": [piece.type for piece in proto.pieces]}
    plain = [text for text in texts() if "<s>" not in text and SPACE not in text]
    result = {"versions": [__version__, sentencepiece.__version__], "texts": texts(), "base": base, "files": made,
              "pieces": {**pieces, "texts": plain, "ids": [spm.encode(text) for text in plain]}}
    (HERE / "families.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
