"""GGUF files of Llama's architecture, of a model that transformers made: as llama.cpp's converter writes them. Needs the
packages gguf, numpy and torch."""
import math

import gguf
import torch

NAMES = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
         "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
OTHERS = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
          "lm_head.weight": "output.weight"}


def name_of(tensor):
    if tensor in OTHERS:
        return OTHERS[tensor]
    _, _, layer, rest = tensor.split(".", 3)
    return f"blk.{layer}.{NAMES[rest.removesuffix('.weight')]}.weight"


def halves_apart(values, heads):
    """Rows 0, h/2, 1, h/2 + 1 ... of each head of h rows, for a rotation of neighbours."""
    rows, columns = values.shape
    return values.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def head_width(config):
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def llama3_factors(rotary, width):
    """What the converter makes of the scaling llama3, in float32."""
    frequencies = 1.0 / (rotary["rope_theta"] ** (torch.arange(0, width, 2, dtype=torch.float32) / width))
    low, high, length = rotary["low_freq_factor"], rotary["high_freq_factor"], rotary["original_max_position_embeddings"]
    factors = []
    for frequency in frequencies:
        wave = 2 * math.pi / frequency
        smooth = (length / wave - low) / (high - low)
        between = 1 / ((1 - smooth) / rotary["factor"] + smooth)
        factors.append(1.0 if wave < length / high else rotary["factor"] if wave > length / low else between)
    return torch.tensor(factors, dtype=torch.float32).numpy()


def add_rotary(writer, config):
    rotary = config.rope_parameters
    writer.add_rope_dimension_count(head_width(config))
    writer.add_rope_freq_base(rotary["rope_theta"])
    if rotary["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(rotary, head_width(config)))
    if rotary["rope_type"] not in ("linear", "yarn"):
        return
    writer.add_rope_scaling_type(gguf.RopeScalingType(rotary["rope_type"]))
    writer.add_rope_scaling_factor(rotary["factor"])
    if rotary["rope_type"] == "yarn":
        writer.add_rope_scaling_orig_ctx_len(rotary["original_max_position_embeddings"])


def add_bytes(writer, config, starts, pre="gpt-2"):
    """A tokenizer of bytes, one merge and special tokens, which fill up the vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    characters = [chr(byte) for byte in plain] + [chr(256 + at) for at in range(256 - len(plain))]
    special = [f"<|{at}|>" for at in range(config.vocab_size - 257)]
    tokens = (characters + ["th"] + special)[:config.vocab_size]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in tokens])
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(config.vocab_size - 1)
    writer.add_eos_token_id(config.vocab_size - 1)
    if starts is not None:
        writer.add_add_bos_token(starts)


def write(path, model, encoding="F32", factors=None, add_tokenizer=add_bytes, starts=False):
    """encoding is that of matrices; factors are those of frequencies where transformers has no name for them; starts says
    whether texts begin with the start token, None nothing of it."""
    config = model.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head_width(config))
    writer.add_value_length(head_width(config))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    add_tokenizer(writer, config, starts)
    add_rotary(writer, config)
    if factors is not None:
        writer.add_tensor("rope_freqs.weight", factors)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, values in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        values = values.float().numpy()
        kind = name.split(".")[-2]
        values = halves_apart(values, heads[kind]) if kind in heads else values
        type_ = gguf.GGMLQuantizationType[encoding if values.ndim == 2 else "F32"]
        writer.add_tensor(name_of(name), gguf.quants.quantize(values, type_), raw_dtype=type_)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
