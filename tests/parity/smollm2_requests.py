"""lm-eval's tasks by way of jobs/lm_eval_chainrule.py against its own `hf` model: a few made-up items on SmolLM2."""
import itertools
import pathlib
import shlex
import sys

import parity

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "jobs"))
from lm_eval.api.instance import Instance  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402
from lm_eval_chainrule import Chainrule  # noqa: E402

LENGTH = 96  # so that some items are longer
ITEMS = [("Question: What do bees make?\nAnswer:", [" honey", " wax and honey", " milk", " Honey"]),
         ("Question: Which of these is a colour?\nA. chair\nB. blue\nC. seven\nAnswer:", [" A", " B", " C"]),
         ("The capital of France is ", ["Paris.", "Rome.", "the largest city of the country."]),
         ("", ["It is a truth universally acknowledged", "<|im_start|>user"]),
         ("<|im_start|>user\nHello<|im_end|>\n\u2003", ["<|im_start|>assistant", "世界の人々", "def f():\n    return 1\n"]),
         ("One two three four five six seven eight nine ten. " * 12, ["One two", "Eleven", "one two three four"])]


def instances(kind, arguments):
    return [Instance(request_type=kind, doc={}, arguments=each, idx=i) for i, each in enumerate(arguments)]


def chosen(values):
    """Of each item, which continuation is the likeliest."""
    values = iter(values)
    return [max(range(len(ends)), key=[next(values)[0] for _ in ends].__getitem__) for _, ends in ITEMS]


def main():
    launcher = "mpirun --allow-run-as-root --oversubscribe --bind-to none -n 2"
    ours = Chainrule(model=parity.SMOLLM2, command=f"{launcher} {shlex.quote(str(parity.BUILD / 'chainrule'))}",
                     options=f"--context-length {LENGTH} --threads 1")
    theirs = HFLM(pretrained=parity.reference(parity.SMOLLM2), tokenizer=parity.tokenizer(), max_length=LENGTH, batch_size=4)
    pairs = instances("loglikelihood", [(context, end) for context, ends in ITEMS for end in ends])
    a, b = ours.loglikelihood(pairs), theirs.loglikelihood(pairs)
    parity.row("SmolLM2: log-likelihoods of requests against lm-eval's hf",
               max(abs(x - y) / max(1, abs(y)) for (x, _), (y, _) in zip(a, b, strict=True)), 1e-4)
    parity.row("SmolLM2: requests whose is_greedy differs from lm-eval's hf",
               sum(x != y for (_, x), (_, y) in zip(a, b, strict=True)), 0)
    parity.row("SmolLM2: (requests that are not greedy, of all but one)", sum(not x for _, x in b), len(b) - 1)
    parity.row("SmolLM2: items of which another continuation is the likeliest",
               sum(x != y for x, y in zip(chosen(a), chosen(b), strict=True)), 0)
    texts = instances("loglikelihood_rolling", [(body,) for _, body in itertools.islice(parity.texts(), 3)])
    a, b = ours.loglikelihood_rolling(texts), theirs.loglikelihood_rolling(texts)
    parity.row("SmolLM2: rolling log-likelihoods of requests against lm-eval's hf",
               max(abs(x - y) / abs(y) for x, y in zip(a, b, strict=True)), 1e-5)
    parity.finish()


if __name__ == "__main__":
    main()
