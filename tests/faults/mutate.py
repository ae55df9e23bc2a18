"""Runs the program on altered data sets, checkpoints, tokenizers, configurations and texts. Each must end within five
seconds with a documented exit code, never by a signal, an internal error or out of memory.

    mutate.py --count 20000 --seed 1 --program build/release/chainrule [--keep FOLDER]
    mutate.py --only 1234 --seed 1 --program ... --keep FOLDER     # one of them again, kept

Number I of seed S is the same in every run."""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from checksums import seal_checkpoint, seal_data_set  # noqa: E402
from mutations import mutated  # noqa: E402

ALLOWED = (0, 64, 65, 66, 73, 74, 75)
SECONDS = 5
MEMORY = 8 << 30
SHAPE = ["--model", "tiny", "--layers", "1", "--heads", "2", "--width", "16", "--sequence-length", "16", "--micro-batch",
         "1", "--global-batch", "2", "--steps", "4", "--checkpoint-every", "2", "--log-every", "1", "--validate-every", "0"]


def run(program, *words, **more):
    return subprocess.run([program, *map(str, words)], capture_output=True, timeout=SECONDS, **more)


def make_originals(program, home):
    """text/, tokenizer.json, gpt2/, data/, run/ (at step 2 of 4), prompts.jsonl."""
    rng = random.Random(0)
    (home / "text").mkdir()
    line = '{{"text": "{}", "n": {}, "more": [1.5, null, {{"a": true}}]}}\n'
    words = ["the", "cat", "sat", "on", "a", "mat", "caf\u00e9", "<|endoftext|>"]
    (home / "text/a.jsonl").write_text("".join(line.format(" ".join(rng.choices(words, k=9)), i) for i in range(12)))
    (home / "text/b.txt").write_text("".join(" ".join(rng.choices(words, k=12)) + ".\n" for _ in range(12)))
    (home / "prompts.jsonl").write_text('{"prompt": "the cat", "id": 3}\n{"prompt": "a"}\n')

    def must(*words, **more):
        done = run(program, *words, **more)
        if done.returncode != 0:
            sys.exit(f"{words}: {done.stderr.decode()}")

    must("tokenizer", "train", "--input", home / "text", "--vocabulary-size", 270, "--output", home / "tokenizer.json")
    must("pack", "--tokenizer", home / "tokenizer.json", "--input", home / "text", "--output", home / "data")
    must("pretrain", "--data", "data", "--run", "run", *SHAPE, cwd=home)
    shutil.rmtree(home / "run/checkpoints/step-00000004")
    model = json.loads((home / "tokenizer.json").read_text())["model"]
    (home / "gpt2").mkdir()
    (home / "gpt2/vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False))
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    (home / "gpt2/merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")


CHECKPOINT = "run/checkpoints/step-00000002"
INSPECT, ENCODE = ["inspect"], ["tokenizer", "encode", "--input", "text/b.txt", "--special-tokens", "--tokenizer"]
PACK = ["pack", "--output", "new", "--tokenizer"]
TRAIN = ["pretrain", "--run", "new", *SHAPE, "--data", "data"]
RESUME = ["pretrain", "--data", "data", "--run", "run", *SHAPE]
EVALUATE = ["evaluate", "--report", "new", "--data", "data", "--model", CHECKPOINT]
SCORE = ["score", "--text", "the cat", "--model", CHECKPOINT]
GENERATE = ["generate", "--max-tokens", "2", "--model", CHECKPOINT, "--prompts", "prompts.jsonl"]

# What is altered; what makes the checksums agree again, where that is tried; the commands that read it; how often.
KINDS = [
    ("data/shard-00000.h5", None, [[*INSPECT, "data/shard-00000.h5"]], 4),
    ("data/shard-00000.h5", "data", [[*INSPECT, "data"], EVALUATE, TRAIN], 6),
    ("data/index.json", None, [[*INSPECT, "data"], EVALUATE, TRAIN], 2),
    ("data/index.json", "data", [[*INSPECT, "data"], EVALUATE, TRAIN], 3),
    (f"{CHECKPOINT}/manifest.json", None, [[*INSPECT, CHECKPOINT], SCORE, RESUME], 2),
    (f"{CHECKPOINT}/model.h5", CHECKPOINT, [[*INSPECT, CHECKPOINT], SCORE, RESUME, EVALUATE], 5),
    (f"{CHECKPOINT}/optimizer-00000.h5", CHECKPOINT, [RESUME], 4),
    (f"{CHECKPOINT}/model.json", CHECKPOINT, [[*INSPECT, CHECKPOINT], SCORE, RESUME, EVALUATE], 3),
    (f"{CHECKPOINT}/state.json", CHECKPOINT, [RESUME], 3),
    (f"{CHECKPOINT}/tokenizer.json", CHECKPOINT, [[*INSPECT, CHECKPOINT], SCORE, GENERATE], 2),
    ("tokenizer.json", None, [[*ENCODE, "tokenizer.json"], [*INSPECT, "tokenizer.json"],
                              [*PACK, "tokenizer.json", "--input", "text"]], 5),
    ("gpt2/vocab.json", None, [[*ENCODE, "gpt2"], [*INSPECT, "gpt2"]], 2),
    ("gpt2/merges.txt", None, [[*ENCODE, "gpt2"], [*INSPECT, "gpt2"]], 1),
    ("run/config.cfg", None, [RESUME, ["pretrain", "--config", "run/config.cfg", "--dry-run"]], 2),
    ("run/environment.json", None, [RESUME], 1),
    ("run/metrics.jsonl", None, [RESUME, [*INSPECT, "run"]], 1),
    ("text/a.jsonl", None, [[*PACK, "tokenizer.json", "--input", "text"],
                            ["tokenizer", "train", "--vocabulary-size", "265", "--output", "new", "--input", "text"]], 3),
    ("prompts.jsonl", None, [GENERATE], 1),
]


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Mutants:
    def __init__(self, program, seed, keep):
        self.program, self.seed, self.keep = program, seed, keep
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="mutants "))
        self.originals = self.home / "originals"
        self.originals.mkdir()
        make_originals(program, self.originals)

    def __call__(self, number):
        """(number, altered file, command, how it ended)"""
        rng = random.Random(f"{self.seed}-{number}")
        name, sealed, commands, _ = rng.choices(KINDS, weights=[kind[3] for kind in KINDS])[0]
        folder = self.home / f"worker {threading.get_ident()}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.originals, folder)
        path = folder / name
        path.write_bytes(mutated(path.read_bytes(), rng, name))
        command = rng.choice(commands)
        try:
            if sealed and rng.random() < 0.85:
                (seal_data_set if sealed == "data" else seal_checkpoint)(folder / sealed)
        except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError):
            pass  # too broken to be made to agree
        try:
            (folder / "temporary").mkdir()
            ended = run(self.program, *command, cwd=folder, preexec_fn=limits, stdin=subprocess.DEVNULL,
                        env={**os.environ, "TMPDIR": str(folder / "temporary")})
            code, said = ended.returncode, ended.stderr.decode("utf-8", "replace")
        except subprocess.TimeoutExpired as late:
            code, said = "hangs", (late.stderr or b"").decode("utf-8", "replace")
        if code not in ALLOWED:
            if self.keep:
                target = self.keep / f"{self.seed}-{number}"
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(self.originals, target)
                (target / name).write_bytes(path.read_bytes())
                shutil.copytree(folder / sealed, target / sealed, dirs_exist_ok=True) if sealed else None
            print(f"{number}: {code}: {name}: {' '.join(command)}: {said.strip().splitlines()[-1:]}", flush=True)
        return number, name, code


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", default=os.environ.get("CHAINRULE_PROGRAM"))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep", type=pathlib.Path)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    begin = time.monotonic()
    mutants = Mutants(os.path.abspath(given.program), given.seed, given.keep)
    try:
        numbers = range(given.count) if given.only is None else [given.only]
        with concurrent.futures.ThreadPoolExecutor(given.processes) as pool:
            results = list(pool.map(mutants, numbers))
    finally:
        shutil.rmtree(mutants.home, ignore_errors=True)
    codes = collections.Counter(str(code) for _, _, code in results)
    bad = collections.Counter((name, str(code)) for _, name, code in results if code not in ALLOWED)
    seconds = time.monotonic() - begin
    print(f"{len(results)} mutants in {seconds:.0f} s ({len(results) / seconds:.1f} a second); exit codes "
          f"{dict(sorted(codes.items()))}")
    for (name, code), count in sorted(bad.items()):
        print(f"  {count} x {code}: {name}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
