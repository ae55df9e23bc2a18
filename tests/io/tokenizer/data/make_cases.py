"""Makes cases.json with an independent implementation, the Hugging Face `tokenizers` package (0.23.3):

    pip install tokenizers && python3 make_cases.py

It holds a small tokenizer.json (base), changes of it that may change ids, and the ids that texts have then: `ids` with
special tokens matched, `plain` with these as text. Where the package loads no such file there are no texts.
"""
import json
import pathlib

from tokenizers import Tokenizer, __version__

PLAIN = [*range(33, 127), *range(161, 173), *range(174, 256)]
GPT4 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+")


def characters():
    others = iter(range(256, 512))
    return [chr(byte) if byte in PLAIN else chr(next(others)) for byte in range(256)]


def added(number, content, **changes):
    return {"id": number, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": False, **changes}


def byte_level(**changes):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True, **changes}


def base():
    merges = ["t h", "th e", "Ġ the", "i n", "in k", "= =", "> y", "b b", "Ġ Ġ"]
    names = characters() + ["".join(merge.split()) for merge in merges]
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [added(len(names), "<|endoftext|>", special=True)], "normalizer": None,
            "pre_tokenizer": byte_level(), "post_processor": None, "decoder": byte_level(),
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": {name: number for number, name in enumerate(names)}, "merges": merges}}


END = base()["added_tokens"][0]
TOKENS = ["x=<think>y", "=<=<think>=<", "<think><think>", "the ink =<", "a<|endoftext|>b=<|endoftext|>", ""]
TEXTS = ["the ink, the 12345 ink's   in", "  the\n\nin__an ", "\u00e9t\u00e9 \u4e16\u754c 1\u00b2\r\n\r\n x", " "]


def tokens(*more):
    return {"added_tokens": [END, *more]}


def sequence(*parts):
    return {"pre_tokenizer": {"type": "Sequence", "pretokenizers": list(parts)}}


def split(behavior, invert, pattern=GPT4):
    return sequence({"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": invert},
                    byte_level(use_regex=False))


def model(**changes):
    return {"model": {**base()["model"], **changes}}


def cases():
    yield "base", {}, TEXTS + TOKENS
    later = added(266, "=<", normalized=True)
    yield "normalized behind not normalized", tokens(later, added(267, "<think>")), TOKENS
    yield "normalized behind not normalized, the other order", tokens(added(266, "<think>"), dict(later, id=267)), TOKENS
    yield "all normalized", tokens(later, added(267, "<think>", normalized=True)), TOKENS
    yield "none normalized", tokens(dict(later, normalized=False), added(267, "<think>")), TOKENS
    yield "special and normalized", tokens(dict(later, special=True), added(267, "<think>")), TOKENS
    yield "a normalized one within one that is not", tokens(added(266, "<ab>"), added(267, "ab", normalized=True)), [
        "<ab>ab", "ab<ab", "<<ab>>"]
    for name, special in (("covers", "<ab>"), ("runs into", "<a")):
        for normalized in (False, True):
            yield (f"a special one {name} another, normalized {normalized}",
                   tokens(added(266, special, special=True), added(267, "ab", normalized=normalized)),
                   ["x<ab>y", "ab<ab>ab<a", "<ab"])
    yield "the longest of those that begin alike", tokens(added(266, "aab"), added(267, "ab"), added(268, "aabb")), [
        "aabb aab ab", "aaabbb"]
    yield "prefix space between added tokens", {**tokens(later, added(267, "<think>")),
                                                "pre_tokenizer": byte_level(add_prefix_space=True)}, TOKENS + TEXTS
    yield "in the vocabulary with its id", tokens(added(257, "the")), ["the ink the"]
    yield "in the vocabulary with another id", tokens(added(266, "the")), []
    yield "descending ids", tokens(added(267, "<b>"), added(266, "<a>")), []
    yield "twice", tokens(added(266, "<b>"), added(267, "<b>")), []
    for flag in ("lstrip", "rstrip", "single_word"):
        yield flag, tokens(added(260, "ink", **{flag: True})), TEXTS + ["inks  ink \u00a0 ink\u0301 _ink ink"]
    yield "a key of an added token", tokens({**added(266, "<b>"), "strip_accents": True}), []
    for behavior in ("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        for invert in (False, True):
            yield f"split {behavior} {invert}", split(behavior, invert), TEXTS
            yield f"split of words {behavior} {invert}", split(behavior, invert, r"\p{L}+"), TEXTS
    for pattern in (r"\w+", r"\b", r"^a", r"a$", r"\h+", r"\v", r"a{1,2}+", r"a{,2}", r"(?m)a", r"\Ka", r"(?<n>a)"):
        yield f"pattern {pattern}", split("Isolated", False, pattern), []
    yield "pattern of a dot and cases", split("Isolated", False, r"(?i:K|\u017f)|.|\n|\r".replace(r"\u017f", "\u017f")), [
        "kK\u212a sS\u017f\r\n\u2028\n"]
    yield "split by a string", sequence({"type": "Split", "pattern": {"String": " "}, "behavior": "Isolated",
                                         "invert": False}, byte_level(use_regex=False)), TEXTS
    yield "sequence of one", sequence(byte_level()), TEXTS
    yield "sequence of a sequence", sequence({"type": "Sequence", "pretokenizers": [byte_level()]}), TEXTS
    yield "sequence of none", sequence(), []
    yield "sequence of three", sequence(*split("Isolated", False)["pre_tokenizer"]["pretokenizers"], byte_level()), []
    yield "split and GPT-2's pattern", sequence(split("Isolated", False)["pre_tokenizer"]["pretokenizers"][0],
                                                byte_level()), TEXTS
    yield "digits one by one", sequence({"type": "Digits", "individual_digits": True}, byte_level()), TEXTS
    yield "digits in runs", sequence({"type": "Digits", "individual_digits": False}, byte_level()), TEXTS
    yield "a key of the pre-tokenizer", {"pre_tokenizer": byte_level(locale="tr")}, []
    yield "normalizer of none", {"normalizer": {"type": "Sequence", "normalizers": []}}, TEXTS
    yield "normalizer of nothing but none", {"normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Sequence", "normalizers": []}]}}, TEXTS
    yield "normalizer in a sequence", {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}]}}, TEXTS + ["e\u0301 \u212b a\u0323\u0307"]
    old = {key: value for key, value in base()["model"].items() if key not in ("type", "ignore_merges", "byte_fallback")}
    yield "model without a type, as GPT-2's", {"model": {**old, "unk_token": "", "continuing_subword_prefix": "",
                                                         "end_of_word_suffix": ""}}, TEXTS
    yield "model of type null", model(type=None), []
    yield "a key of the model", model(cache_capacity=0), []
    yield "merges in pairs", model(merges=[merge.split() for merge in base()["model"]["merges"]]), TEXTS
    yield "unknown token", model(unk_token="a", fuse_unk=True), TEXTS
    yield "truncation", {"truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst",
                                        "stride": 0}}, []
    padding = {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
               "pad_type_id": 0, "pad_token": "a"}
    yield "padding to the longest", {"padding": padding}, TEXTS
    yield "padding to a length", {"padding": {**padding, "strategy": {"Fixed": 40}}}, []
    yield "padding to a multiple", {"padding": {**padding, "pad_to_multiple_of": 8}}, []
    yield "a key of the file", {"chat_template": "x"}, []
    yield "another version", {"version": "2.0"}, []


def encoded(tokenizer, text):
    tokenizer.encode_special_tokens = False
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    tokenizer.encode_special_tokens = True
    return {"text": text, "ids": ids, "plain": tokenizer.encode(text, add_special_tokens=False).ids}


def case(name, changes, texts):
    made = {"name": name, "changes": changes, "texts": []}
    if texts:
        tokenizer = Tokenizer.from_str(json.dumps({**base(), **changes}))
        made["texts"] = [encoded(tokenizer, text) for text in texts]
    if "vocab" in changes.get("model", {}):  # as in the base, and long
        made["changes"] = {"model": {key: value for key, value in changes["model"].items() if key != "vocab"}}
    return made


def main():
    made = [case(*each) for each in cases()]
    lines = ",\n".join(json.dumps(each) for each in made)
    target = pathlib.Path(__file__).resolve().with_name("cases.json")
    target.write_text(f'{{"tokenizers": "{__version__}", "base": {json.dumps(base())}, "cases": [\n{lines}]}}\n')


if __name__ == "__main__":
    main()
