"""Writes tokenizer_cases.json beside it: properties of tokenizer.json that change ids, and the ids that Hugging Face's
library `tokenizers` gives (pip install tokenizers). Only this script needs that library."""
import json
import pathlib

import tokenizers

SPLIT = r"'s|\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+"


def characters():
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    table = {**{byte: chr(byte) for byte in plain}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}
    return [table[byte] for byte in range(256)]


def base():
    merges = ["t h", "th e", "Ġ the", "i n", "in k", "a n", "= <", "0 0", "Ġ Ġ"]
    names = characters() + ["".join(merge.split()) for merge in merges]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [added(len(names), "<|endoftext|>")],
            "normalizer": None,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            "post_processor": None,
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": {name: number for number, name in enumerate(names)}, "merges": merges}}


def added(number, content, **changes):
    return {"id": number, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True, **changes}


def split(behavior, invert, pattern=SPLIT):
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": invert}


def byte_level():
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def sequence(*parts):
    return {"pre_tokenizer": {"type": "Sequence", "pretokenizers": list(parts)}}


def cases():
    end = added(265, "<|endoftext|>")
    more = [added(266, "=<", normalized=True, special=False), added(267, "<think>", normalized=False, special=False)]
    swapped = [added(266, "<think>", normalized=False, special=False), added(267, "=<", normalized=True, special=False)]
    both = [dict(token, normalized=False) for token in more]
    neither = [dict(token, normalized=True) for token in more]
    overlap = [added(266, "aab", special=False), added(267, "ab", special=False), added(268, "aabb", special=False)]
    shared = [added(266, "<a", normalized=True, special=False), added(267, "a>", normalized=False, special=False)]
    texts = ["x=<think>y", "=<=<think>=<", "<think><think>", "the ink 000 =<"]
    yield "added: normalized and not", {"added_tokens": [end, *more]}, texts
    yield "added: the same in the other order", {"added_tokens": [end, *swapped]}, texts
    yield "added: none normalized", {"added_tokens": [end, *both]}, texts
    yield "added: all normalized", {"added_tokens": [end, *neither]}, texts
    yield "added: special in the middle", {"added_tokens": [end, *more]}, ["a=<|endoftext|>b", "the<|endoftext|>=<think>"]
    yield "added: the longest or the first", {"added_tokens": [end, *overlap]}, ["aabb aab ab", "aaabbb"]
    yield "added: not normalized inside normalized", {"added_tokens": [end, *shared]}, ["<a> x", "<<aa>>"]
    lstrip = [end, added(266, "<mask>", lstrip=True)]
    yield "added: lstrip", {"added_tokens": lstrip}, ["a  <mask> b"]
    yield "added: rstrip", {"added_tokens": [end, added(266, "<mask>", rstrip=True)]}, ["a <mask>  b"]
    yield "added: single_word", {"added_tokens": [end, added(266, "ink", special=False, single_word=True)]}, ["ink think"]
    texts = ["the ink, the 12345 ink's   an", "  the\n\nin__an "]
    for behavior in ("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        for invert in (False, True):
            yield f"split: {behavior} {invert}", sequence(split(behavior, invert), byte_level()), texts
            yield (f"split of words only: {behavior} {invert}",
                   sequence(split(behavior, invert, r"\p{L}+"), byte_level()), texts)
    string = {"type": "Split", "pattern": {"String": " "}, "behavior": "Isolated", "invert": False}
    yield "split: a string", sequence(string, byte_level()), texts
    yield "sequence of one", sequence(dict(byte_level(), use_regex=True)), texts
    yield "sequence of a split that leaves text to GPT-2's", sequence(
        split("Isolated", False, r"\p{N}"), dict(byte_level(), use_regex=True)), texts
    yield "sequence of two splits", sequence(split("Isolated", False, r"\p{N}"), split("Isolated", False), byte_level()), texts
    yield "prefix space", {"pre_tokenizer": dict(byte_level(), add_prefix_space=True, use_regex=True)}, texts
    yield "empty normalizer", {"normalizer": {"type": "Sequence", "normalizers": []}}, texts
    yield "NFC", {"normalizer": {"type": "NFC"}}, ["the cafe\u0301 \u212b"]
    yield "NFC in a sequence", {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}]}}, ["cafe\u0301"]
    yield "lower case", {"normalizer": {"type": "Lowercase"}}, ["The INK"]
    model = base()["model"]
    legacy = {key: value for key, value in model.items() if key not in ("type", "ignore_merges", "byte_fallback")}
    yield "no type of the model", {"model": legacy}, texts
    yield "ignore_merges", {"model": dict(model, ignore_merges=True, vocab=dict(model["vocab"], ink2=265)),
                            "added_tokens": [added(266, "<|endoftext|>")]}, ["ink2 the"]
    yield "unknown and fused", {"model": dict(model, unk_token="a", fuse_unk=True)}, texts
    yield "dropout of nothing", {"model": dict(model, dropout=0.0)}, texts
    yield "merges in pairs", {"model": dict(model, merges=[merge.split() for merge in model["merges"]])}, texts
    template = {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}], "pair": [
        {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {}}
    yield "a post-processor that adds nothing", {"post_processor": template}, texts
    yield "truncation", {"truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst",
                                        "stride": 0}}, texts


def main():
    made = []
    for name, changes, texts in cases():
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps({**base(), **changes}))
        made.append({"name": name, "changes": changes, "texts": [
            [text, tokenizer.encode(text, add_special_tokens=False).ids] for text in texts]})
    for case in made:
        if case["changes"].get("model", {}).get("merges"):  # what is as in the base need not be said again
            case["changes"]["model"] = {key: value for key, value in case["changes"]["model"].items()
                                        if key != "vocab" or "ink2" in value}
    text = json.dumps({"tokenizers": tokenizers.__version__, "base": base(), "cases": made}, indent=None)
    target = pathlib.Path(__file__).with_name("tokenizer_cases.json")
    target.write_text(text.replace('{"name"', '\n{"name"') + "\n")


if __name__ == "__main__":
    main()
