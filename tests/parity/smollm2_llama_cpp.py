"""Nats of a text as llama.cpp computes them from a float32 GGUF file of SmolLM2, which the `gguf` package writes."""
import json

import gguf
import numpy
from llama_cpp import Llama

import parity

OWN = ("GGUF.", "general.architecture", "general.quantization_version", "general.file_type")


def write_float32(path):
    """The quantised file with every tensor in float32."""
    reader = gguf.GGUFReader(parity.SMOLLM2_GGUF)
    writer = gguf.GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if not field.name.startswith(OWN):
            kind, *inner = field.types
            writer.add_key_value(field.name, field.contents(), kind, sub_type=inner[-1] if inner else None)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, gguf.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def nats(model, ids):
    model.reset()
    model.eval(ids)
    logits = model.scores[:len(ids) - 1].astype(numpy.float64)
    top = logits.max(-1, keepdims=True)
    log_sum = numpy.log(numpy.exp(logits - top).sum(-1)) + top[:, 0]
    return (log_sum - logits[numpy.arange(len(ids) - 1), ids[1:]]).sum()


def main():
    path = parity.WORK / "smollm2-f32.gguf"
    write_float32(path)
    model = Llama(str(path), n_ctx=2048, logits_all=True, flash_attn=False, type_k=0, type_v=0, verbose=False)  # float32
    for name, text in parity.texts():
        (parity.WORK / "scored.txt").write_bytes(text[:4000].encode())
        answer = json.loads(parity.chainrule("score", "--model", path, "--input", parity.WORK / "scored.txt", "--json"))
        ids = [model.token_bos(), *(token["token_id"] for token in answer["tokens"])]
        expected = nats(model, ids)
        parity.row(f"SmolLM2: nats of llama.cpp, float32 GGUF, {name}, {len(ids)} tokens",
                   abs(-answer["log_likelihood_nats"] - expected) / expected, 1e-5)
        theirs = model.tokenize(text[:4000].encode(), add_bos=False, special=False)
        parity.row(f"SmolLM2: whether ids differ from llama.cpp's, {name}", ids[1:] != theirs, 0)
    parity.finish()


if __name__ == "__main__":
    main()
