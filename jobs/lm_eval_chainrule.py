"""lm-eval's likelihood tasks scored by chainrule, on as many ranks as the command starts. Needs lm-eval; chainrule does not.

    import lm_eval, lm_eval_chainrule
    lm_eval.simple_evaluate("chainrule", "model=PATH,command=srun chainrule,work=/scratch/run-7", tasks=["arc_easy"])

model_args: model (what `chainrule evaluate --model` takes), command (what starts chainrule, in words as a shell reads them:
`mpirun -n 8 chainrule`, `srun chainrule`), options (more of `chainrule evaluate`'s, in words) and work, a folder for the
files of requests and answers. With work a run that was stopped is gone on with: answers that are there are taken.
"""
import hashlib
import json
import pathlib
import shlex
import subprocess
import tempfile

from lm_eval.api.model import LM
from lm_eval.api.registry import register_model


@register_model("chainrule")
class Chainrule(LM):
    def __init__(self, model, command="chainrule", options="", work=None, **unused):
        super().__init__()
        unknown = set(unused) - {"batch_size", "max_batch_size", "device"}  # what lm-eval always passes
        if unknown:
            raise ValueError(f"chainrule: unknown in model_args: {', '.join(sorted(unknown))}")
        self.model, self.command, self.options = str(model), shlex.split(str(command)), shlex.split(str(options))
        self.temporary = None if work else tempfile.TemporaryDirectory(prefix="lm-eval-chainrule-")
        self.work = pathlib.Path(work or self.temporary.name)

    def answers(self, lines):
        """What chainrule says of each line, whose files are named by model, options and content."""
        if not lines:
            return []
        content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
        name = hashlib.sha256(json.dumps([self.model, self.options]).encode() + content).hexdigest()[:32]
        requests, answers = self.work / f"{name}.requests.jsonl", self.work / f"{name}.answers.jsonl"
        if not answers.exists():
            self.work.mkdir(parents=True, exist_ok=True)
            requests.write_bytes(content)
            subprocess.run([*self.command, "evaluate", "--model", self.model, "--requests", requests, "--output", answers,
                            *self.options], check=True, stdin=subprocess.DEVNULL)
        read = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
        if len(read) != len(lines):
            raise RuntimeError(f"{answers}: {len(read)} answers to {len(lines)} requests")
        return read

    def loglikelihood(self, requests, disable_tqdm=False):
        pairs = [request.args for request in requests]
        answers = self.answers([{"context": context, "continuation": continuation} for context, continuation in pairs])
        results = [(number(answer), answer["is_greedy"]) for answer in answers]
        for pair, result in zip(pairs, results, strict=True):
            self.cache_hook.add_partial("loglikelihood", pair, result)
        return results

    def loglikelihood_rolling(self, requests, disable_tqdm=False):
        texts = [request.args for request in requests]
        results = [number(answer) for answer in self.answers([{"text": text} for text, in texts])]
        for text, result in zip(texts, results, strict=True):
            self.cache_hook.add_partial("loglikelihood_rolling", text, result)
        return results

    def generate_until(self, requests, disable_tqdm=False):
        raise NotImplementedError("chainrule scores: generate_until, which this task asks for, is not supported")


def number(answer):
    """null stands for what is not finite, which --allow-nonfinite lets through."""
    return float("nan") if answer["log_likelihood"] is None else answer["log_likelihood"]
