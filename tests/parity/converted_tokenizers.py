"""Tokenizers of real vocabularies after `convert` to a checkpoint and back: `tokenizers` and transformers give the ids that
they give for the files before, tokens around a text and around a pair of them included. Those of GGUF files begin texts as
llama.cpp does."""
import functools
import itertools
import shutil

import gguf
import sentencepiece
from llama_cpp import Llama
from tokenizers import Tokenizer
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

import llama_gguf
import parity
from vocabularies import package

PRE_TOKENIZERS = ("gpt-2", "olmo", "smollm", "llama-bpe", "llama3", "llama-v3", "llama4", "qwen2", "qwen35",
                  "deepseek-v3")
TEXTS = ["", "Hello world", " a  b\n\nc ", "The caf\u00e9 of 1234 \u4e16\u754c, \U0001f600!", "<s> </s> <|endoftext|>"]


def tiny(vocabulary):
    return LlamaForCausalLM(LlamaConfig(vocab_size=vocabulary, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
                                        num_attention_heads=2, max_position_embeddings=64))


def converted(model):
    checkpoint, folder = parity.WORK / "checkpoint", parity.WORK / "returned"
    for made in (checkpoint, folder):
        shutil.rmtree(made, ignore_errors=True)
    parity.chainrule("convert", "--model", model, "--output", checkpoint, "--format", "checkpoint")
    parity.chainrule("convert", "--model", checkpoint, "--output", folder, "--format", "hugging-face")
    return folder


def encodings(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    every = [tokenizer.encode(text) for text in TEXTS]
    every += [tokenizer.encode(*pair) for pair in itertools.product(TEXTS, TEXTS)]
    return [(each.ids, each.type_ids, each.offsets, each.special_tokens_mask) for each in every]


def add_pieces(writer, config, starts):
    """Mistral's SentencePiece model."""
    pieces = sentencepiece.SentencePieceProcessor(str(package("mistral_common") / "data" / "tokenizer.model.v1"))
    ids = range(pieces.get_piece_size())
    kinds = [(pieces.is_byte, gguf.TokenType.BYTE), (pieces.is_control, gguf.TokenType.CONTROL),
             (pieces.is_unknown, gguf.TokenType.UNKNOWN), (lambda _: True, gguf.TokenType.NORMAL)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([pieces.id_to_piece(at) for at in ids])
    writer.add_token_scores([pieces.get_score(at) for at in ids])
    writer.add_token_types([next(kind for is_it, kind in kinds if is_it(at)) for at in ids])
    writer.add_bos_token_id(pieces.bos_id())
    writer.add_eos_token_id(pieces.eos_id())
    writer.add_unk_token_id(pieces.unk_id())
    if starts is not None:
        writer.add_add_bos_token(starts)


def begins_otherwise(path):
    """Whether ids of a text are others than llama.cpp's."""
    ours = Tokenizer.from_file(str(converted(path) / "tokenizer.json")).encode("a").ids
    return ours != Llama(str(path), n_ctx=64, verbose=False).tokenize(b"a", add_bos=True, special=False)


def check_starts(path):
    differ = 0
    for pre, starts in itertools.product(PRE_TOKENIZERS, (None, True, False)):
        add_tokenizer = functools.partial(llama_gguf.add_bytes, pre=pre)
        llama_gguf.write(path, tiny(260), add_tokenizer=add_tokenizer, starts=starts)
        differ += begins_otherwise(path)
    for starts in (None, True, False):
        llama_gguf.write(path, tiny(32000), add_tokenizer=add_pieces, starts=starts)
        differ += begins_otherwise(path)
    parity.row("GGUF: names of pre-tokenizers and starts that begin a text otherwise than llama.cpp", differ, 0)


def main():
    for vocabulary in sorted((parity.WORK / "vocabularies").iterdir()):
        if not (vocabulary / "tokenizer.json").exists():
            continue
        source = parity.WORK / "source"
        shutil.rmtree(source, ignore_errors=True)
        shutil.copytree(vocabulary, source)
        tiny(Tokenizer.from_file(str(source / "tokenizer.json")).get_vocab_size()).save_pretrained(source)
        folder = converted(source)
        parity.row(f"{vocabulary.name}: encodings of texts and pairs that convert changes",
                   sum(a != b for a, b in zip(encodings(source), encodings(folder), strict=True)), 0)
        before, after = (AutoTokenizer.from_pretrained(each) for each in (source, folder))
        parity.row(f"{vocabulary.name}: ids of transformers that convert changes",
                   sum(before(text).input_ids != after(text).input_ids for text in TEXTS), 0)
    path = parity.WORK / "start.gguf"
    llama_gguf.write(path, tiny(260), starts=True)
    ids = AutoTokenizer.from_pretrained(converted(path))("a").input_ids
    parity.row("GGUF with add_bos_token: ids of 'a' that are not start and text", ids != [259, 64], 0)
    llama_gguf.write(path, tiny(32000), add_tokenizer=add_pieces, starts=True)
    after = AutoTokenizer.from_pretrained(converted(path))
    before = Tokenizer.from_file(str(parity.WORK / "vocabularies" / "mistral" / "tokenizer.json"))
    parity.row("GGUF of SentencePiece: ids of transformers that convert changes",
               sum(before.encode(text).ids != after(text).input_ids for text in TEXTS), 0)
    check_starts(path)
    parity.finish()


if __name__ == "__main__":
    main()
