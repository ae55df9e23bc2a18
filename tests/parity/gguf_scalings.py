"""GGUF files of small Llamas with random weights, of each scaling of rotary positions: logits against transformers with
the same weights and against llama.cpp (which rounds activations where weights are not float32), and what `convert` makes
of them."""
import shutil

import gguf
import numpy
import torch
from llama_cpp import Llama
from transformers import LlamaConfig, LlamaForCausalLM

import llama_gguf
import parity

SHAPE = {"vocab_size": 260, "hidden_size": 96, "intermediate_size": 160, "num_hidden_layers": 3, "num_attention_heads": 6,
         "num_key_value_heads": 2, "head_dim": 32, "max_position_embeddings": 256, "initializer_range": 0.15,
         "bos_token_id": 259, "eos_token_id": 259}
SCALINGS = {
    "none": {"rope_type": "default"},
    "linear": {"rope_type": "linear", "factor": 4.0},
    "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64},
    "llama3": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
               "original_max_position_embeddings": 64},
}
ENCODINGS = ("F32", "BF16", "Q8_0", "Q4_1")
FACTORS = numpy.exp(numpy.random.default_rng(1).uniform(0, 2, 16)).astype(numpy.float32)


def quantised(model, encoding):
    """The same model with the values that its file holds."""
    kind = gguf.GGMLQuantizationType[encoding]
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                held = gguf.quants.dequantize(gguf.quants.quantize(parameter.numpy(), kind), kind)
                parameter.copy_(torch.from_numpy(held.astype(numpy.float32).reshape(parameter.shape)))
    return model


def llama_cpp_logits(path, ids):
    model = Llama(str(path), n_ctx=256, logits_all=True, flash_attn=False, type_k=0, type_v=0, verbose=False)
    model.eval(ids)
    return model.scores[:len(ids)].copy()


def check(name, model, path, ids, float32=True, converts=True):
    theirs = parity.reference_logits(model, ids)
    parity.row(f"{name}: logits of transformers", parity.distance(parity.logits_of(path, ids), theirs), 1e-5)
    if float32:
        ours = parity.logits_of(path, ids)
        parity.row(f"{name}: logits of llama.cpp", parity.distance(ours, llama_cpp_logits(path, ids)), 1e-5)
    folder = parity.WORK / "converted"
    shutil.rmtree(folder, ignore_errors=True)
    if converts:
        parity.chainrule("convert", "--model", path, "--format", "hugging-face", "--output", folder)
        parity.row(f"{name}: transformers on what convert makes of it",
                   parity.distance(parity.reference_logits(parity.reference(folder), ids), theirs), 0)


def main():
    path = parity.WORK / "scaled.gguf"
    ids = torch.randint(0, 260, (200,), generator=torch.Generator().manual_seed(4)).tolist()
    for name, scaling in SCALINGS.items():
        torch.manual_seed(1)
        model = LlamaForCausalLM(LlamaConfig(**SHAPE, rope_parameters={"rope_theta": 10000.0, **scaling})).eval()
        for encoding in ENCODINGS if name == "llama3" else ENCODINGS[:1]:
            llama_gguf.write(path, model, encoding)
            check(f"GGUF, {name}, {encoding}", quantised(model, encoding), path, ids, encoding == "F32")
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(**SHAPE)).eval()
    llama_gguf.write(path, model, factors=FACTORS)
    model.model.rotary_emb.inv_freq /= torch.from_numpy(FACTORS)
    check("GGUF, factors of its own", model, path, ids, converts=False)
    parity.finish()


if __name__ == "__main__":
    main()
