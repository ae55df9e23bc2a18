"""Makes the fixture from sample.txt with an independent implementation, the Hugging Face `tokenizers` package (0.23.3):

    pip install tokenizers && python3 make_fixture.py

writes tokenizer.json (merges as pairs), gpt2/vocab.json and gpt2/merges.txt (the same tokenizer), trained to the end of its merges,
and sample.ids.json: sample.txt encoded as plain text and, followed by special tokens, with these matched.
"""
import json
import pathlib

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

here = pathlib.Path(__file__).resolve().parent
text = (here / "sample.txt").read_bytes().decode("utf-8")
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
tokenizer.train_from_iterator([text], trainers.BpeTrainer(
    vocab_size=599, min_frequency=2, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
tokenizer.add_special_tokens([AddedToken("<|endoftext|>", special=True, normalized=False)])
tokenizer.save(str(here / "tokenizer.json"))

model = json.loads(tokenizer.to_str())["model"]
(here / "gpt2").mkdir(exist_ok=True)
vocabulary = {**model["vocab"], "<|endoftext|>": tokenizer.token_to_id("<|endoftext|>")}
(here / "gpt2/vocab.json").write_text(json.dumps(vocabulary))
(here / "gpt2/merges.txt").write_text(
    "#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in model["merges"]), encoding="utf-8")

with_special = "<|endoftext|>The text<|endoftext|><|endoftext|> before <|endoftext"
special = tokenizer.encode(with_special, add_special_tokens=False).ids
tokenizer.encode_special_tokens = True
(here / "sample.ids.json").write_text(json.dumps({
    "sample": tokenizer.encode(text, add_special_tokens=False).ids,
    "text_with_special": with_special,
    "special_matched": special,
    "special_as_text": tokenizer.encode(with_special, add_special_tokens=False).ids,
}) + "\n")
