"""Makes fixtures/: tiny random models of transformers, their configurations as it writes them, and the logits that it
computes, for transformers_test.cpp; of some also a GGUF file.

    PYTHONPATH=tests/support python3 make_fixtures.py
    # needs torch, transformers (5.24 made what is committed), safetensors and gguf
"""
import json
import pathlib
import shutil
import tempfile

import torch
import transformers

import llama_gguf

FOLDER = pathlib.Path(__file__).parent / "fixtures"
LAST = 6  # positions of which logits are kept
SMALL = dict(vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=64, bos_token_id=None, eos_token_id=None)
# Of each weights file: the class, its configuration, and the type that is stored.
MODELS = {
    "llama": ("LlamaConfig", dict(SMALL, tie_word_embeddings=True), torch.float32),
    "llama-untied": ("LlamaConfig", dict(SMALL, head_dim=16, num_key_value_heads=4, num_hidden_layers=1,
                                         rms_norm_eps=1e-5), torch.bfloat16),
    "mistral": ("MistralConfig", dict(SMALL, head_dim=16, num_hidden_layers=1, sliding_window=7), torch.bfloat16),
    "qwen2": ("Qwen2Config", dict(SMALL), torch.bfloat16),
    "qwen3": ("Qwen3Config", dict(SMALL, head_dim=16, num_hidden_layers=1, tie_word_embeddings=True), torch.bfloat16),
    "gpt2": ("GPT2Config", dict(vocab_size=64, n_embd=32, n_layer=1, n_head=4, n_inner=64, n_positions=48,
                                bos_token_id=None, eos_token_id=None), torch.float32),
}
ORIGINAL = dict(original_max_position_embeddings=16)
# Each case: weights, what its configuration has besides, and the number of tokens.
CASES = {
    "llama": ("llama", {}, 40),
    "llama of another theta": ("llama", dict(rope_parameters=dict(rope_type="default", rope_theta=500.0)), 40),
    "llama, scaling llama3": ("llama", dict(rope_parameters=dict(
        rope_type="llama3", rope_theta=500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, **ORIGINAL)), 40),
    "llama, scaling linear": ("llama", dict(rope_parameters=dict(rope_type="linear", rope_theta=1e4, factor=4.0)), 40),
    "llama, scaling dynamic within": ("llama", dict(max_position_embeddings=16, rope_parameters=dict(
        rope_type="dynamic", rope_theta=1e4, factor=4.0)), 16),
    "llama, scaling dynamic beyond": ("llama", dict(max_position_embeddings=16, rope_parameters=dict(
        rope_type="dynamic", rope_theta=1e4, factor=4.0)), 40),
    "llama, scaling yarn": ("llama", dict(rope_parameters=dict(
        rope_type="yarn", rope_theta=1e4, factor=4.0, **ORIGINAL)), 40),
    "llama, scaling yarn of other numbers": ("llama", dict(rope_parameters=dict(
        rope_type="yarn", rope_theta=1e3, factor=4.0, beta_fast=8.0, beta_slow=0.5, truncate=False,
        attention_factor=1.25, **ORIGINAL)), 40),
    "llama, untied, wider heads": ("llama-untied", {}, 40),
    "mistral, window": ("mistral", {}, 40),
    "mistral, no window": ("mistral", dict(sliding_window=None), 40),
    "qwen2": ("qwen2", {}, 40),
    "qwen2, window": ("qwen2", dict(use_sliding_window=True, max_window_layers=0, sliding_window=9), 40),
    "qwen3": ("qwen3", {}, 40),
    "gpt2": ("gpt2", {}, 48),
}
# Cases of which there is a GGUF file, which says the scaling in its own way.
GGUF = {"llama, scaling llama3": "llama3.gguf", "llama, scaling linear": "linear.gguf", "llama, scaling yarn": "yarn.gguf"}


def config_of(model, more):
    name, fields, _ = MODELS[model]
    return getattr(transformers, name)(**{**fields, **more}, attn_implementation="eager")


def write_weights(name):
    generator = torch.Generator().manual_seed(sum(name.encode()))
    model = transformers.AutoModelForCausalLM.from_config(config_of(name, {}))
    with torch.no_grad():
        for weight in dict.fromkeys(model.parameters()):
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(noise * 0.25 if weight.ndim == 2 else noise * 0.2 + (weight if weight.ndim == 1 else 0))
    folder = tempfile.mkdtemp()
    model.to(MODELS[name][2]).save_pretrained(folder)
    shutil.copy(f"{folder}/model.safetensors", FOLDER / f"{name}.safetensors")
    shutil.rmtree(folder)


def case(title, name, more, length):
    folder = pathlib.Path(tempfile.mkdtemp())
    config = config_of(name, more)
    config.save_pretrained(folder)
    shutil.copy(FOLDER / f"{name}.safetensors", folder / "model.safetensors")
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32,
                                                              attn_implementation="eager").eval()
    if title in GGUF:
        llama_gguf.write(FOLDER / GGUF[title], model)
    tokens = torch.randint(64, (length,), generator=torch.Generator().manual_seed(length))
    with torch.no_grad():
        logits = model(tokens[None]).logits[0, -LAST:].contiguous()
    written = json.loads((folder / "config.json").read_text())
    shutil.rmtree(folder)
    made = {"title": title, "weights": f"{name}.safetensors", "config": written, "tokens": tokens.tolist(),
            "logits": logits.numpy().tobytes().hex()}
    return made | ({"gguf": GGUF[title]} if title in GGUF else {})


def main():
    FOLDER.mkdir(exist_ok=True)
    for name in MODELS:
        write_weights(name)
    cases = [case(title, *rest) for title, rest in CASES.items()]
    lines = ",\n".join(json.dumps(each) for each in cases)
    (FOLDER / "cases.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
