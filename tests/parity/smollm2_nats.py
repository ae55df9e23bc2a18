"""Nats of each document, as `evaluate` reports them, against transformers; also of a document longer than the context,
which is read in windows, and of the GGUF file."""
import csv
import shutil

import torch

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
    for (name, body), value in zip(bodies, ours, strict=True):
        expected = nats(model, parity.ids_of(body))
        parity.row(f"SmolLM2: nats of evaluate against transformers, {name}", abs(value - expected) / expected, 1e-6)
    parity.row("SmolLM2: reports of evaluate at 1 and 2 ranks that differ",
               reported(parity.SMOLLM2, data, 2)[1] != report, 0)
    for (name, _), value, stored in zip(bodies, ours, reported(parity.SMOLLM2_GGUF, data, 1)[0], strict=True):
        parity.row(f"SmolLM2: nats of evaluate, GGUF against its float32 copy, {name}", abs(stored - value) / value, 1e-6)
    parity.finish()


if __name__ == "__main__":
    main()
