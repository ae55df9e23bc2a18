"""What `evaluate --write` writes, read by whom it is written for: lm-eval's and every-eval-ever's own code. On a small GPT-2
with random weights and SmolLM2's tokenizer; every-eval-ever is the folder that its package was unpacked into.
"""
import json
import logging
import math
import re
import sys

import datasets
from lm_eval.api.task import ConfigurableTask
from lm_eval.evaluator import evaluate
from lm_eval.loggers import EvaluationTracker
from lm_eval.models.huggingface import HFLM
from lm_eval.utils import get_results_filenames, get_sample_results_filenames, make_table
from transformers import AutoTokenizer

import parity
import smollm2_protocols as protocols

sys.path.insert(0, str(parity.WORK / "every-eval-ever"))
from every_eval_ever.converters.lm_eval.adapter import LMEvalAdapter  # noqa: E402
from every_eval_ever.converters.lm_eval.instance_level_adapter import LMEvalInstanceLevelAdapter  # noqa: E402
from every_eval_ever.validator.validation_core import validate_aggregate  # noqa: E402

METRICS = ["word_perplexity", "byte_perplexity", "bits_per_byte"]
UNKNOWN = {"target", "arguments", "doc_hash", "prompt_hash", "target_hash"}  # would take the texts


def texts():
    return [text for text in protocols.documents() if text]  # lm-eval itself fails at a document without tokens


def packed(folder):
    lines = parity.WORK / "written.jsonl"
    lines.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts()), encoding="utf-8")
    data = parity.WORK / "written-data"
    protocols.shutil.rmtree(data, ignore_errors=True)
    parity.chainrule("pack", "--tokenizer", folder, "--input", lines, "--output", data)
    return data


def written(folder, data, protocol, *formats):
    report = parity.WORK / f"written {protocol}"
    protocols.shutil.rmtree(report, ignore_errors=True)
    parity.chainrule("evaluate", "--model", folder, "--data", data, "--report", report, "--context-length",
                     protocols.CONTEXT, "--protocol", protocol, *(word for each in formats for word in ("--write", each)))
    return report


def lm_eval_run(folder, task):
    """The same documents as a task of lm-eval's, written by its own tracker: (results, samples)."""
    class Texts(ConfigurableTask):
        def download(self, dataset_kwargs=None, **more):
            self.dataset = datasets.DatasetDict({"test": datasets.Dataset.from_dict({"text": texts()})})

    peer = HFLM(pretrained=parity.reference(folder), tokenizer=AutoTokenizer.from_pretrained(folder),
                max_length=protocols.CONTEXT, batch_size=1, softmax_dtype="float64")
    config = {"task": task, "dataset_path": "none", "test_split": "test", "output_type": "loglikelihood_rolling",
              "doc_to_text": "", "doc_to_target": lambda doc: doc["text"],
              "metric_list": [{"metric": metric} for metric in METRICS]}
    results = evaluate(lm=peer, task_dict={task: Texts(config=config)}, bootstrap_iters=0)
    samples = results.pop("samples")
    output = parity.WORK / "lm-eval output"
    protocols.shutil.rmtree(output, ignore_errors=True)
    tracker = EvaluationTracker(output_path=str(output))
    tracker.general_config_tracker.log_experiment_args("hf", {"pretrained": "gpt2"}, None, None, False)
    tracker.save_results_aggregated(results, samples)
    tracker.save_results_samples(task, samples[task])
    return load(output)


def load(folder):
    """What lies there by the names that lm-eval looks for."""
    names = [str(path) for path in folder.rglob("*") if path.is_file()]
    (results,), (samples,) = get_results_filenames(names), get_sample_results_filenames(names)
    with open(results, encoding="utf-8") as file, open(samples, encoding="utf-8") as lines:
        return json.load(file), [json.loads(line) for line in lines]


def relative(a, b):
    return abs(a - b) / max(abs(b), 1e-300)


def check_lm_eval(folder, data):
    report = written(folder, data, "lm-eval", "lm-eval", "every-eval-ever")
    ours, our_samples = load(report / "lm-eval")
    (task, numbers), = ours["results"].items()
    theirs, their_samples = lm_eval_run(folder, task)
    made = json.loads((report / "report.json").read_text())
    for metric in METRICS:
        parity.row(f"lm-eval's {metric} against report.json", abs(numbers[f"{metric},none"] - made[metric]), 0)
        parity.row(f"lm-eval's {metric} against lm-eval's own run",
                   relative(numbers[f"{metric},none"], theirs["results"][task][f"{metric},none"]), 1e-5)
    parity.row("keys of a task's results that are not lm-eval's", len(numbers.keys() ^ theirs["results"][task].keys()), 0)
    parity.row("keys of results that a run of lm-eval's has, and ours have not",
               len(theirs.keys() - ours.keys() - {"task_hashes", "total_evaluation_time_seconds"}), 0)
    for key in ("n-samples", "n-shot", "higher_is_better", "group_subtasks"):
        parity.row(f"{key}, differences", ours[key] != theirs[key], 0)
    parity.row("samples, difference", abs(len(our_samples) - len(their_samples)), 0)
    parity.row("keys of a sample, differences but for texts and hashes of them",
               len((our_samples[0].keys() ^ their_samples[0].keys()) - UNKNOWN), 0)
    worst = counts = 0
    for a, b in zip(our_samples, their_samples, strict=True):
        worst = max(worst, relative(float(a["resps"][0][0]), float(b["resps"][0][0])),
                    relative(float(a["filtered_resps"][0]), float(b["filtered_resps"][0])))
        counts += sum(a[metric][1] != b[metric][1] for metric in METRICS) + (a["doc_id"] != b["doc_id"])
    parity.row("samples' log-likelihoods against lm-eval's own", worst, 1e-5)
    parity.row("samples' words, bytes and numbers, differences", counts, 0)
    table = make_table(ours)
    parity.row("lm-eval's table: numbers that it does not show with their error",
               sum(not re.search(rf"{metric}\s*\|↓\s*\|\s*{numbers[f'{metric},none']:.4f}\|±\s*\|\s*[\d.]+\|", table)
                   for metric in METRICS), 0)
    convert(report, ours, task)
    return report


def convert(report, results, task):
    """every-eval-ever's own converter of lm-eval's files takes ours."""
    log = LMEvalAdapter()._transform_single(results, {"task_name": task, "parent_eval_output_dir": str(report)})
    found = {each.metric_config.metric_name: each.score_details.score for each in log.evaluation_results}
    parity.row("every-eval-ever's converter of lm-eval's results: metrics that it misses",
               sum(found.get(metric) != results["results"][task][f"{metric},none"] for metric in METRICS), 0)
    samples = next((report / "lm-eval").rglob("samples_*.jsonl"))
    rows = LMEvalInstanceLevelAdapter().transform_samples(samples, log.evaluation_id, log.model_info.id, task)
    parity.row("every-eval-ever's converter of lm-eval's samples: (none that it takes)", not rows, 0)


def check_every_eval_ever(report, protocol):
    path, = (report / "every-eval-ever").rglob("*.json")
    name = path.relative_to(report / "every-eval-ever").as_posix()
    result = validate_aggregate(path, repo_path=name, run_semantic_checks=True)
    for each in result.errors + result.warnings:
        print(each)
    parity.row(f"every-eval-ever of {protocol}: errors and warnings of its validator",
               len(result.errors) + len(result.warnings) + (not result.valid), 0)
    made = json.loads((report / "report.json").read_text())
    found = {each["evaluation_result_id"]: each["score_details"] for each in
             json.loads(path.read_text())["evaluation_results"]}
    entropy, perplexity = found["overall/cross_entropy_nats"], found["overall/perplexity"]
    error = made["cross_entropy_standard_error_nats"]
    for what, is_, be in (
            ("cross-entropy", entropy["score"], made["cross_entropy_nats"]),
            ("error", entropy["uncertainty"]["standard_error"]["value"], error),
            ("lower end", entropy["uncertainty"]["confidence_interval"]["lower"], made["cross_entropy_low_nats"]),
            ("perplexity", perplexity["score"], made["perplexity"]),
            ("perplexity's error", perplexity["uncertainty"]["standard_error"]["value"], made["perplexity"] * error),
            ("perplexity's upper end", perplexity["uncertainty"]["confidence_interval"]["upper"], made["perplexity_high"])):
        parity.row(f"every-eval-ever of {protocol}: {what} against report.json", relative(is_, be), 1e-9)
    for number in made["of_protocol"]["numbers"]:
        scores = [each["score"] for each in found.values()]
        parity.row(f"every-eval-ever of {protocol}: {number['name']} of the protocol is (not) there",
                   not any(math.isclose(score, number["perplexity"], rel_tol=1e-12) for score in scores), 0)


def main():
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    folder = protocols.random_gpt2(parity.WORK / "written-gpt2")
    data = packed(folder)
    check_every_eval_ever(check_lm_eval(folder, data), "lm-eval")
    for protocol in ("document", "packed", "llama.cpp", "hf-stride", "gptq"):
        check_every_eval_ever(written(folder, data, protocol, "every-eval-ever"), protocol)
    parity.finish()


if __name__ == "__main__":
    main()
