"""Logits of each family and each scaling of rotary positions, of small models with random weights that transformers made
and wrote, against transformers."""
import json
import shutil

import torch
from transformers import (GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM,
                          Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM)

import parity

LENGTHS = (1, 40, 64, 65, 150)  # of a model for 64 tokens, or 256
SHAPE = {"vocab_size": 211, "hidden_size": 96, "intermediate_size": 160, "num_hidden_layers": 3, "num_attention_heads": 6,
         "num_key_value_heads": 2, "max_position_embeddings": 256, "initializer_range": 0.15}


def rotary(kind, **options):
    return {"rope_type": kind, "rope_theta": 10000.0, **options}


LLAMA3 = rotary("llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
YARN = rotary("yarn", factor=4.0, original_max_position_embeddings=64)


def models():
    """Name, model; made by the classes of transformers."""
    llama = lambda **changes: LlamaForCausalLM(LlamaConfig(**{**SHAPE, **changes}))
    yield "Llama", llama()
    yield "Llama, head_dim 32, tied", llama(head_dim=32, tie_word_embeddings=True)
    yield "Llama, linear", llama(rope_parameters=rotary("linear", factor=4.0))
    yield "Llama, dynamic", llama(rope_parameters=rotary("dynamic", factor=4.0), max_position_embeddings=64)
    yield "Llama, llama3", llama(rope_parameters=LLAMA3)
    yield "Llama, yarn", llama(rope_parameters=YARN)
    yield "Llama, yarn, own factors", llama(rope_parameters={**YARN, "beta_fast": 16.0, "beta_slow": 2.0,
                                                             "attention_factor": 1.3, "truncate": False})
    yield "Llama, yarn, mscale", llama(rope_parameters={**YARN, "mscale": 0.7, "mscale_all_dim": 0.5})
    yield "Mistral, window of 16", MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=16))
    yield "Mistral, no window", MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=None))
    yield "Qwen2", Qwen2ForCausalLM(Qwen2Config(**SHAPE))
    yield "Qwen2, window of 20", Qwen2ForCausalLM(Qwen2Config(**SHAPE, use_sliding_window=True, sliding_window=20,
                                                              max_window_layers=0))
    yield "Qwen3", Qwen3ForCausalLM(Qwen3Config(**SHAPE, head_dim=32))
    yield "Qwen3, tied", Qwen3ForCausalLM(Qwen3Config(**SHAPE, head_dim=16, tie_word_embeddings=True))
    yield "GPT-2", GPT2LMHeadModel(GPT2Config(vocab_size=211, n_positions=256, n_embd=96, n_layer=3, n_head=6,
                                              initializer_range=0.15))


def shake(model):
    """Biases and gains, which begin as 0 and 1, are made to count."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter += 0.2 * torch.randn(parameter.shape, generator=generator)


def in_older_form(folder):
    """config.json as transformers 4 wrote it: rope_theta and rope_scaling."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    scaling = config.pop("rope_parameters", None)
    if scaling is None:
        return False
    config["rope_theta"] = scaling.pop("rope_theta")
    config["rope_scaling"] = None if scaling["rope_type"] == "default" else scaling
    config.pop("layer_types", None)
    config["torch_dtype"] = config.pop("dtype")
    path.write_text(json.dumps(config))
    return True


def largest_distance(folder, model):
    ids = torch.randint(0, 211, (max(LENGTHS),), generator=torch.Generator().manual_seed(4)).tolist()
    return max(parity.distance(parity.logits_of(folder, ids[:n]), parity.reference_logits(model, ids[:n]))
               for n in LENGTHS)


def main():
    torch.manual_seed(1)
    folder = parity.WORK / "family"
    for name, model in models():
        shake(model)
        shutil.rmtree(folder, ignore_errors=True)
        model.eval().save_pretrained(folder)
        parity.row(f"{name}: logits of transformers", largest_distance(folder, model), 1e-5)
        if in_older_form(folder):
            parity.row(f"{name}: the same, config.json of transformers 4", largest_distance(folder, model), 1e-5)
        for dtype in (torch.bfloat16, torch.float16):
            shutil.rmtree(folder)
            model.to(dtype).save_pretrained(folder, max_shard_size="200KB")
            parity.row(f"{name}: the same, {str(dtype)[6:]} in shards",
                       largest_distance(folder, parity.reference(folder)), 1e-5)
    parity.finish()


if __name__ == "__main__":
    main()
