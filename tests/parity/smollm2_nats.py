"""Nats of each document, as `evaluate` reports them, against transformers, in float32 and in float64, which tells whose
rounding a difference is; also of a document longer than the context, which is read in windows, and of the GGUF file."""
import csv
import shutil

import torch
from transformers.models.llama import modeling_llama

import parity

CONTEXT = 256


def nats(model, ids):
    """-ln p of ids[1:], each given those before it; a long text in windows that overlap by half a context, the last one
    right-aligned."""
    total, done, count = 0.0, 0, len(ids) - 1
    while done < count:
        end = min(done + (CONTEXT if done == 0 else CONTEXT // 2), count)
        begin = max(0, end - CONTEXT)
        logits = torch.from_numpy(parity.reference_logits(model, ids[begin:end])).double()
        chosen = torch.log_softmax(logits, -1)[torch.arange(end - begin), torch.tensor(ids[begin + 1:end + 1])]
        total -= chosen[done - begin:].sum().item()
        done = end
    return total


def in_float64(model):
    """The model computing in float64, but for the angles of positions, which are rounded where it was trained so."""
    frequencies = model.model.rotary_emb.inv_freq.clone()
    model = model.double()
    model.model.rotary_emb.inv_freq = frequencies
    modeling_llama.LlamaRMSNorm.forward = lambda norm, x: norm.weight * (
        x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon))
    return model


def reported(model, data, ranks):
    report = parity.WORK / "report"
    shutil.rmtree(report, ignore_errors=True)
    launcher = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", ranks]
    parity.run(*launcher, parity.BUILD / "chainrule", "evaluate", "--model", model, "--data", data, "--report", report,
               "--context-length", CONTEXT, "--threads", 1)
    with open(report / "documents.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [float(each["nll_nats"]) for each in rows], (report / "report.json").read_bytes()


def main():
    text, data = parity.WORK / "text", parity.WORK / "data"
    for folder in (text, data):
        shutil.rmtree(folder, ignore_errors=True)
    text.mkdir()
    bodies = list(parity.texts())[:3]
    for number, (_, body) in enumerate(bodies):
        (text / f"{number}.txt").write_bytes(body.encode())
    parity.chainrule("pack", "--tokenizer", parity.SMOLLM2, "--input", text, "--output", data)
    ours, report = reported(parity.SMOLLM2, data, 1)
    model = parity.reference(parity.SMOLLM2)
    texts = [parity.ids_of(body) for _, body in bodies]
    theirs = [nats(model, ids) for ids in texts]
    exact = [nats(in_float64(model), ids) for ids in texts]
    for (name, _), value, other, truth in zip(bodies, ours, theirs, exact, strict=True):
        parity.row(f"SmolLM2: nats of evaluate against transformers, {name}", abs(value - other) / other, 1e-6)
        parity.row(f"SmolLM2: the same against float64, {name}", abs(value - truth) / truth, 1e-6)
        parity.row(f"SmolLM2: (transformers against float64, {name})", abs(other - truth) / truth, 1e-6)
    parity.row("SmolLM2: reports of evaluate at 1 and 2 ranks that differ",
               reported(parity.SMOLLM2, data, 2)[1] != report, 0)
    for (name, _), value, stored in zip(bodies, ours, reported(parity.SMOLLM2_GGUF, data, 1)[0], strict=True):
        parity.row(f"SmolLM2: nats of evaluate, GGUF against its float32 copy, {name}", abs(stored - value) / value, 1e-6)
    parity.finish()


if __name__ == "__main__":
    main()
