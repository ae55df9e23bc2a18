"""`evaluate --baseline`: SmolLM2 in Q4_0 beside its float32 origin, of another file format, against transformers in
float64 with the same weights; and the same rounded weights in an F32 file against logits of llama.cpp's library, which
rounds activations to 8 bits where weights are quantised. Definitions are its program's, which keeps the baseline's
log-probabilities in 16 bits: how far this alone moves its numbers is printed too."""
import json
import math
import shutil

import gguf
import numpy
import torch
from llama_cpp import Llama
from tokenizers import Tokenizer

import parity
import smollm2
from smollm2_llama_cpp import OWN, write_float32
from smollm2_nats import in_float64

CONTEXT = 128
FOLDER = parity.WORK / "quantised"


def write_q4_0(path, as_float32=False):
    """The published file's weights rounded once more: what quantising changes should be seen. Or the rounded weights as
    float32."""
    reader = gguf.GGUFReader(parity.SMOLLM2_GGUF)
    writer = gguf.GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if not field.name.startswith(OWN):
            kind, *inner = field.types
            writer.add_key_value(field.name, field.contents(), kind, sub_type=inner[-1] if inner else None)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32 if as_float32 else gguf.LlamaFileType.MOSTLY_Q4_0)
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        if values.ndim == 1:
            writer.add_tensor(tensor.name, values)
        else:
            kind = gguf.GGMLQuantizationType.Q4_0
            rounded = gguf.quants.quantize(values, kind)
            if as_float32:
                writer.add_tensor(tensor.name, gguf.dequantize(rounded, kind).astype(numpy.float32))
            else:
                writer.add_tensor(tensor.name, rounded, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def log_softmax(logits):
    logits = logits.astype(numpy.float64)
    logits = logits - logits.max(-1, keepdims=True)
    return logits - numpy.log(numpy.exp(logits).sum(-1, keepdims=True))


def in_16_bits(logs):
    """As that program stores them: 65,536 steps from 16 below the largest up to it."""
    top = logs.max(-1, keepdims=True)
    low = numpy.maximum(logs.min(-1, keepdims=True), top - 16)
    return low + numpy.rint((numpy.maximum(logs, low) - low) / ((top - low) / 65535)) * ((top - low) / 65535)


class Statistics:
    """Its definitions, over the last CONTEXT / 2 - 1 tokens of each chunk."""

    def __init__(self, ids, model, baseline, stored=lambda logs: logs):
        self.kl, self.same, self.nats, self.base = [], [], [], []
        for start in range(0, len(ids) - CONTEXT + 1, CONTEXT):
            chunk = ids[start:start + CONTEXT]
            rows = slice(CONTEXT // 2, CONTEXT - 1)
            logs, other = log_softmax(model(chunk)[rows]), stored(log_softmax(baseline(chunk)[rows]))
            p = numpy.where(other > -16, numpy.exp(other), 0) if stored is in_16_bits else numpy.exp(other)
            self.kl.extend((p * (other - logs)).sum(-1))
            self.same.extend(logs.argmax(-1) == other.argmax(-1))
            targets = numpy.arange(len(logs)), chunk[CONTEXT // 2 + 1:]
            self.nats.extend(-logs[targets])
            self.base.extend(-other[targets])
        self.kl, self.nats, self.base = (numpy.array(each) for each in (self.kl, self.nats, self.base))
        self.change = numpy.exp(-self.nats) - numpy.exp(-self.base)

    def numbers(self):
        count = len(self.kl)

        def error(values):
            return math.sqrt(values.var() / (count - 1))

        cov = numpy.cov(self.nats, self.base, bias=True)[0, 1] / (count - 1)
        rms = math.sqrt((self.change ** 2).mean())
        yield "mean KL", "kl_nats", "value", self.kl.mean()
        yield "error of mean KL", "kl_nats", "independent_standard_error", error(self.kl)
        for fraction in (0, 0.5, 0.9, 0.95, 0.99, 0.999, 1):
            yield f"KL, {fraction:.1%}", "quantiles", fraction, numpy.quantile(self.kl, fraction)
        yield "same top", "same_top", "value", numpy.mean(self.same)
        yield "ln of PPL ratio", "log_perplexity_ratio", "value", self.nats.mean() - self.base.mean()
        yield ("error of ln of PPL ratio", "log_perplexity_ratio", "independent_standard_error",
               math.sqrt(error(self.nats) ** 2 + error(self.base) ** 2 - 2 * cov))
        yield "PPL of the baseline", "perplexity", None, math.exp(self.base.mean())
        yield "correlation", "correlation", None, cov / (error(self.nats) * error(self.base))
        yield "mean change of p", "probability_change", "value", self.change.mean()
        yield "RMS change of p", "probability_change_rms", "value", rms
        yield ("error of RMS change of p", "probability_change_rms", "independent_standard_error",
               0.5 / rms * error(self.change ** 2))


def said(baseline, name, part):
    if name == "quantiles":
        return next(each["kl_nats"] for each in baseline[name] if each["fraction"] == part)
    return baseline[name] if part is None else baseline[name][part]


def compare(label, baseline, statistics, bound):
    for what, name, part, expected in statistics.numbers():
        # The least KL is 1e-4 of the others: of its own size it is told less exactly. Quantiles are of single tokens,
        # whose rounding nothing evens out.
        parity.row(f"SmolLM2 Q4_0: {what}, {label}",
                   abs(said(baseline, name, part) - expected) / max(abs(expected), 1e-3),
                   3 * bound if name == "quantiles" else bound)


def reported(model, baseline, data):
    report = parity.WORK / "report"
    shutil.rmtree(report, ignore_errors=True)
    parity.chainrule("evaluate", "--model", model, "--baseline", baseline, "--data", data, "--report", report, "--protocol",
                     "llama.cpp", "--context-length", CONTEXT)
    return json.loads((report / "report.json").read_text())


def transformers_model(path=None):
    model = parity.reference(parity.SMOLLM2)
    if path:
        tensors = smollm2.float32_tensors(gguf.GGUFReader(path))
        missing = model.load_state_dict({name: torch.from_numpy(values) for name, values in tensors.items()}, strict=False)
        assert not missing.unexpected_keys and missing.missing_keys in ([], ["lm_head.weight"]), missing
    model = in_float64(model)
    return lambda ids: parity.reference_logits(model, ids)


def llama_cpp_model(path):
    model = Llama(str(path), n_ctx=CONTEXT, logits_all=True, flash_attn=False, type_k=0, type_v=0, verbose=False)

    def logits(ids):
        model.reset()
        model.eval(ids)
        return model.scores[:len(ids)]

    return logits


def main():
    text, data = parity.WORK / "text", parity.WORK / "data"
    for folder in (FOLDER, text, data):
        shutil.rmtree(folder, ignore_errors=True)
    FOLDER.mkdir()
    text.mkdir()
    quantised, rounded, float32, folder = (FOLDER / name for name in ("q4_0.gguf", "rounded.gguf", "f32.gguf", "f32"))
    write_q4_0(quantised)
    write_q4_0(rounded, as_float32=True)
    write_float32(float32)
    parity.chainrule("convert", "--model", float32, "--format", "hugging-face", "--output", folder)
    bodies = [body[:1500] for _, body in parity.texts()]
    for number, body in enumerate(bodies):
        (text / f"{number}.txt").write_bytes(body.encode())
    parity.chainrule("pack", "--tokenizer", folder / "tokenizer.json", "--input", text, "--output", data)
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode("\n\n".join(bodies), add_special_tokens=False).ids
    baseline = reported(quantised, folder, data)["baseline"]
    exact = Statistics(ids, transformers_model(quantised), transformers_model())
    parity.row("SmolLM2 Q4_0: tokens scored, difference", abs(baseline["tokens_scored"] - len(exact.kl)), 0)
    compare("transformers, float64", baseline, exact, 1e-5)
    same = reported(float32, folder, data)["baseline"]
    parity.row("SmolLM2: KL of the float32 GGUF file from the folder", same["kl_nats"]["value"], 1e-9)
    own = llama_cpp_model(rounded), llama_cpp_model(float32)
    compare("llama.cpp's logits, both F32", reported(rounded, float32, data)["baseline"], Statistics(ids, *own), 1e-4)
    for (what, *_, kept), (*_, whole) in zip(Statistics(ids, *own, in_16_bits).numbers(), Statistics(ids, *own).numbers(),
                                             strict=True):
        print(f"    llama.cpp's 16 bits alone: {what:28}{kept:14.7g} for {whole:.7g}")
    parity.finish()


if __name__ == "__main__":
    main()
