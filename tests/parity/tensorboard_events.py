"""TensorBoard's own reader over what `pretrain --tensorboard` writes: the scalars of metrics.jsonl, each step once.

Run as `python tensorboard_events.py BUILD WORK` as every check here; needs the package tensorboard.
"""
import json
import math
import pathlib
import shutil
import subprocess
import sys

from rows import finish, row
from tensorboard.backend.event_processing import event_accumulator

BUILD, WORK = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
NAMES = ("loss", "validation_loss", "learning_rate", "gradient_norm", "tokens_per_second")


def train(data, run, steps):
    command = [BUILD / "chainrule", "pretrain", "--data", data, "--run", run, "--model", "tiny", "--sequence-length", 32,
               "--micro-batch", 2, "--global-batch", 4, "--steps", steps, "--schedule", "constant", "--warmup-steps", 2,
               "--validate-every", 5, "--checkpoint-every", 5, "--keep-checkpoints", 9, "--tensorboard"]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


def compare(what, run):
    reader = event_accumulator.EventAccumulator(str(run / "tensorboard"), size_guidance={event_accumulator.SCALARS: 0})
    reader.Reload()
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    different_steps, difference = 0, 0.0
    for name in NAMES:
        expected = [(line["step"], line[name]) for line in lines if line.get(name) is not None]
        read = [(event.step, event.value) for event in reader.Scalars(name)]
        steps = [step for step, _ in expected]
        different_steps += abs(len(read) - len(expected)) + sum(a != b for (a, _), b in zip(read, steps))
        for (_, value), (_, other) in zip(read, expected):
            difference = max(difference, abs(value - other) / max(abs(other), 1e-30))
    row(f"TensorBoard ({what}): steps that differ", different_steps, 0)
    row(f"TensorBoard ({what}): relative difference", difference, 2 ** -24)
    row(f"TensorBoard ({what}): tags of its own", len(set(reader.Tags()["scalars"]) - set(lines[4])), 0)


def main():
    folder = WORK / "tensorboard-events"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "text.txt").write_text("".join(f"line {i} of {i * i % 97}\n" for i in range(4000)))
    program = str(BUILD / "chainrule")
    for words in (["tokenizer", "train", "--input", folder / "text.txt", "--vocabulary-size", 300, "--output",
                   folder / "tokenizer.json"],
                  ["pack", "--tokenizer", folder / "tokenizer.json", "--input", folder / "text.txt", "--output",
                   folder / "data"]):
        subprocess.run([program, *map(str, words)], check=True, capture_output=True)
    shutil.copytree(folder / "data", folder / "pair" / "train")
    shutil.copytree(folder / "data", folder / "pair" / "held-out")
    run = folder / "run"
    train(folder / "pair", run, 20)
    compare("one start", run)
    for step in (15, 20):  # as if they had never been written: steps from 11 on are taken again
        shutil.rmtree(run / "checkpoints" / f"step-{step:08}")
    train(folder / "pair", run, 30)
    compare("steps taken again", run)
    with open(max((run / "tensorboard").iterdir()), "ab") as events:
        events.write(b"\x40\0\0\0\0\0")  # a record that was cut short
    train(folder / "pair", run, 33)
    compare("behind a cut record", run)
    finish()


if __name__ == "__main__":
    main()
