"""A Hugging Face folder of a Llama with random BF16 weights, written a block at a time (memory: 64 MB).

    python random_model.py llama-1b|llama-8b FOLDER TOKENIZER_FOLDER
"""
import json
import pathlib
import shutil
import sys

import numpy

COMMON = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "dtype": "bfloat16",
          "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "vocab_size": 128256,
          "attention_bias": False, "mlp_bias": False}
SHAPES = {
    "llama-1b": {"hidden_size": 2048, "head_dim": 64, "num_attention_heads": 32, "num_key_value_heads": 8,
                 "num_hidden_layers": 16, "intermediate_size": 8192, "tie_word_embeddings": True},
    "llama-8b": {"hidden_size": 4096, "head_dim": 128, "num_attention_heads": 32, "num_key_value_heads": 8,
                 "num_hidden_layers": 32, "intermediate_size": 14336, "tie_word_embeddings": False},
}
SHARD = 5_000_000_000
BLOCK = 32 << 20  # elements


def tensors(config):
    """Name and shape of each, in the order of layers."""
    width, wide = config["hidden_size"], config["intermediate_size"]
    query = config["num_attention_heads"] * config["head_dim"]
    key = config["num_key_value_heads"] * config["head_dim"]
    yield "model.embed_tokens.weight", (config["vocab_size"], width)
    for layer in range(config["num_hidden_layers"]):
        for name, shape in {"input_layernorm": (width,), "self_attn.q_proj": (query, width),
                            "self_attn.k_proj": (key, width), "self_attn.v_proj": (key, width),
                            "self_attn.o_proj": (width, query), "post_attention_layernorm": (width,),
                            "mlp.gate_proj": (wide, width), "mlp.up_proj": (wide, width),
                            "mlp.down_proj": (width, wide)}.items():
            yield f"model.layers.{layer}.{name}.weight", shape
    yield "model.norm.weight", (width,)
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", (config["vocab_size"], width)


def elements(shape):
    return int(numpy.prod(shape, dtype=numpy.int64))


def shards(config):
    """Lists of tensors of at most SHARD bytes together."""
    shard, size = [], 0
    for name, shape in tensors(config):
        if shard and size + 2 * elements(shape) > SHARD:
            yield shard
            shard, size = [], 0
        shard.append((name, shape))
        size += 2 * elements(shape)
    yield shard


def random_block(rng):
    """BF16 of random sign and fraction, of magnitudes from 2^-6 to 2^-5."""
    return (numpy.frombuffer(rng.bytes(2 * BLOCK), "<u2") & 0x807F | 121 << 7).astype("<u2")


def write_values(file, shape, block, rng):
    """Gains of 1; of others each run of values begins elsewhere in the block, which saves drawing all of them."""
    left = elements(shape)
    while left > 0:
        begin = int(rng.integers(BLOCK // 2))
        values = numpy.full(left, 0x3F80, "<u2") if len(shape) == 1 else block[begin:begin + left]
        values.tofile(file)
        left -= len(values)


def write_shard(path, shard, block, rng):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shard:
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + 2 * elements(shape)]}
        at += 2 * elements(shape)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, shape in shard:
            write_values(file, shape, block, rng)
    return at


def main():
    shape, folder, tokenizer = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    config, rng = {**COMMON, **SHAPES[shape]}, numpy.random.default_rng(1)
    block = random_block(rng)
    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, folder / name)
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    parts, places, size = list(shards(config)), {}, 0
    for number, shard in enumerate(parts, 1):
        name = f"model-{number:05}-of-{len(parts):05}.safetensors"
        size += write_shard(folder / name, shard, block, rng)
        places.update({tensor: name for tensor, _ in shard})
    index = {"metadata": {"total_size": size}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


if __name__ == "__main__":
    main()
