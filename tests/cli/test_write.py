"""`--write`: reports as files of lm-eval and every-eval-ever."""
import csv
import json
import math
import pathlib
import unittest

import jsonschema
from evaluation import EvaluationTest
from program import chainrule
from text_model import TextModelTest

# Of every-eval-ever 0.3.0 (MIT licence, beside it).
SCHEMA = json.loads((pathlib.Path(__file__).parent / "every_eval_ever" / "eval.schema.json").read_text())


def only(folder, pattern):
    path, = folder.rglob(pattern)
    return path


def strict(text):
    """JSON without Python's NaN and Infinity."""
    def refuse(value):
        raise ValueError(value)
    return json.loads(text, parse_constant=refuse)


def clustered(pairs):
    """Ratio of sums of (y, x) and its error, straight from the definition."""
    ratio = math.fsum(y for y, _ in pairs) / math.fsum(x for _, x in pairs)
    squares = math.fsum((y - ratio * x) ** 2 for y, x in pairs)
    return ratio, math.sqrt(len(pairs) / (len(pairs) - 1) * squares) / math.fsum(x for _, x in pairs)


def rows_of(report):
    with open(report / "documents.csv", newline="") as file:
        return list(csv.DictReader(file))


def records_of(report):
    """Of every-eval-ever's file, which is valid: (all of it, score_details by evaluation_result_id)."""
    record = strict(only(report / "every-eval-ever", "*.json").read_text())
    jsonschema.Draft7Validator(SCHEMA).validate(record)
    return record, {each["evaluation_result_id"]: each["score_details"] for each in record["evaluation_results"]}


class EveryEvalEver(EvaluationTest):
    def assert_near(self, value, expected):
        self.assertLessEqual(abs(value - expected), 1e-8 * abs(expected))

    def assert_estimate(self, made, pairs, factor=1, exponential=False):
        """pairs: of documents, what is summed up and over what."""
        pairs = [pair for pair in pairs if pair != (0, 0)]
        ratio, error = clustered(pairs)
        reach = 1.959963984540054 * error * factor
        value = math.exp(ratio) if exponential else ratio * factor
        self.assert_near(made["score"], value)
        interval = made["uncertainty"]["confidence_interval"]
        self.assert_near(made["uncertainty"]["standard_error"]["value"], value * error if exponential else error * factor)
        self.assert_near(interval["lower"], value * math.exp(-reach) if exponential else value - reach)
        self.assert_near(interval["upper"], value * math.exp(reach) if exponential else value + reach)
        self.assertEqual((interval["confidence_level"], made["uncertainty"]["num_samples"]), (0.95, len(pairs)))

    def test_errors_are_clustered_by_document(self):
        chainrule(*self.options(), "--write", "every-eval-ever", ranks=2, check=0)
        report = self.folder / "report"
        _, found = records_of(report)
        made = json.loads((report / "report.json").read_text())
        rows = rows_of(report)
        self.assertTrue(any(row["words"] == "1" and row["tokens_scored"] == "0" for row in rows), "an empty document")
        for name, domain in [("overall", None), *((f"domain/{name}", name) for name in made["domains"])]:
            mine = [row for row in rows if domain is None or row["domain"] == domain]
            if len(mine) < 2:
                continue
            nats = [float(row["nll_nats"]) for row in mine]
            text = [float(row["nll_nats"]) - float(row["end_of_text_nll_nats"]) for row in mine]
            tokens, bytes_, words = ([int(row[column]) for row in mine] for column in ("tokens_scored", "bytes", "words"))
            hits = [float(row["top1_accuracy"] or 0) * int(row["tokens_scored"]) for row in mine]
            self.assert_estimate(found[f"{name}/cross_entropy_nats"], list(zip(nats, tokens)))
            self.assert_estimate(found[f"{name}/perplexity"], list(zip(nats, tokens)), exponential=True)
            self.assert_estimate(found[f"{name}/bits_per_byte"], list(zip(text, bytes_)), 1 / math.log(2))
            self.assert_estimate(found[f"{name}/byte_perplexity"], list(zip(text, bytes_)), exponential=True)
            self.assert_estimate(found[f"{name}/word_perplexity"], list(zip(text, words)), exponential=True)
            self.assert_estimate(found[f"{name}/top1_accuracy"], list(zip(hits, tokens)))
        self.assertEqual(found["overall/perplexity"]["score"], made["perplexity"])
        self.assert_near(found["overall/cross_entropy_nats"]["uncertainty"]["standard_error"]["value"],
                         made["cross_entropy_standard_error_nats"])

    def test_it_says_what_was_evaluated(self):
        chainrule(*self.options(), "--write", "every-eval-ever", check=0)
        record, _ = records_of(self.folder / "report")
        made = json.loads((self.folder / "report" / "report.json").read_text())
        self.assertEqual(record["eval_library"]["name"], "chainrule")
        self.assertIn(f"chainrule {record['eval_library']['version']} ", chainrule("--version", check=0).out)
        self.assertEqual(record["model_info"]["additional_details"]["weights_hash"], made["weights_hash"])
        for each in record["evaluation_results"]:
            self.assertEqual(each["source_data"]["additional_details"]["fingerprint"], made["data_fingerprint"])
            self.assertEqual(each["metric_config"]["metric_parameters"]["protocol"], "document")
        path = only(self.folder / "report", "every-eval-ever/data/*/*/*/*.json")
        self.assertEqual(path.parent.parent.name + "/" + path.parent.name, record["model_info"]["id"])
        self.assertRegex(path.name, "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}[.]json$")

    def test_the_schema_tells(self):
        chainrule(*self.options(), "--write", "every-eval-ever", check=0)
        record, _ = records_of(self.folder / "report")
        del record["evaluation_results"][0]["metric_config"]["max_score"]
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.Draft7Validator(SCHEMA).validate(record)

    def test_no_finite_result(self):
        chainrule(*self.options("report", "model-nan"), "--write", "every-eval-ever", check=65)
        record, found = records_of(self.folder / "report")
        self.assertEqual([name for name in found if name.startswith("overall/")], [], "undefined values are left out")
        self.assertNotEqual(record["eval_library"]["additional_details"]["nonfinite_tokens"], "0")

    def test_names_are_portable(self):
        for name, portable in (("data", "_data"), ("con.1", "_con.1"), ("a b\u00e9|?", "a_b____"), ("m" * 200, "m" * 100)):
            (self.folder / name).symlink_to(self.fixture / "model")
            report = self.folder / f"of {name[:20]}"
            chainrule("evaluate", "--model", f"{self.folder / name}/", "--data", self.fixture / "data", "--report", report,
                      "--write", "every-eval-ever", check=0)
            record, _ = records_of(report)
            self.assertEqual(record["model_info"]["id"], f"local/{portable}")

    def test_without_it_nothing_is_written(self):
        chainrule(*self.options(), check=0)
        self.assertEqual([path for path in (self.folder / "report").iterdir() if path.is_dir()], [])

    def test_refusals(self):
        for words, more in (("neither lm-eval nor every-eval-ever", ["--write", "lm_eval"]),
                            ("this is protocol document", ["--write", "lm-eval"]),
                            ("belongs to chainrule report merge", ["--write", "every-eval-ever", "--part", "1/2"])):
            done = chainrule(*self.options(), *more, check=64)
            self.assertIn(words, done.err)
            self.assertFalse((self.folder / "report").exists())
        done = chainrule("evaluate", "--model", self.fixture / "model", "--requests", "x", "--output", "y", "--write",
                         "lm-eval", check=64)
        self.assertIn("--write does not go with --requests", done.err)


class LmEval(TextModelTest):
    def evaluate(self, report, *more, **options):
        self.run_command("evaluate", "--data", self.home / "data", "--report", self.folder / report, *more, **options)
        return self.folder / report

    def read(self, report):
        results = strict(only(report, "lm-eval/*/results_*.json").read_text())
        return results, [strict(line) for line in only(report, "lm-eval/*/samples_*.jsonl").read_text().splitlines()]

    def without_times(self, results):
        return {key: value for key, value in results.items() if key != "date"}

    def test_numbers_are_the_report_s(self):
        report = self.evaluate("report", "--protocol", "lm-eval", "--write", "lm-eval", ranks=2)
        results, samples = self.read(report)
        made = json.loads((report / "report.json").read_text())
        (task, numbers), = results["results"].items()
        rows = rows_of(report)
        self.assertEqual((task, len(samples), numbers["sample_len"]), ("data", len(rows), len(rows)))
        self.assertEqual(results["n-samples"][task], {"original": len(rows), "effective": len(rows)})
        for name, factor, value in (("word_perplexity", None, math.exp), ("byte_perplexity", None, math.exp),
                                    ("bits_per_byte", 1 / math.log(2), None)):
            self.assertEqual(numbers[f"{name},none"], made[name])
            ratio, error = clustered([(-nats, count) for nats, count in (sample[name] for sample in samples)])
            expected = (value(ratio), value(ratio) * error) if value else (ratio * factor, error * factor)
            self.assertAlmostEqual(numbers[f"{name},none"], expected[0], 9)
            self.assertAlmostEqual(numbers[f"{name}_stderr,none"] / expected[1], 1, 6)
            self.assertIs(results["higher_is_better"][task][name], False)
        for row, sample in zip(rows, samples, strict=True):
            self.assertEqual(sample["resps"], [[str(-float(row["nll_nats"]))]])
            self.assertEqual(sample["filtered_resps"], sample["resps"][0])
            self.assertEqual((sample["doc_id"], sample["doc"]["source"], sample["doc"]["text_hash"]),
                             (int(row["index"]), row["source"], row["text_hash"]))
        for name in ("group_subtasks", "configs", "versions", "n-shot", "config", "git_hash", "date", "model_name"):
            self.assertIn(name, results)

    def test_a_part_of_the_data(self):
        report = self.evaluate("some", "--protocol", "lm-eval", "--write", "lm-eval", "--max-documents", 1)
        results, samples = self.read(report)
        self.assertEqual((results["config"]["limit"], len(samples)), (1, 1))
        self.assertEqual(results["results"]["data"]["bits_per_byte_stderr,none"], "N/A", "it takes two documents")

    def test_merged_parts_say_the_same(self):
        whole = self.read(self.evaluate("whole", "--protocol", "lm-eval", "--write", "lm-eval"))
        for part in (1, 2):
            self.run_command("evaluate", "--data", self.home / "data", "--report", self.folder / "merged", "--protocol",
                             "lm-eval", "--part", f"{part}/2")
        parts = sorted(self.folder.glob("merged.part*"))
        chainrule("report", "merge", *parts, "--report", self.folder / "merged", "--write", "lm-eval", "--write",
                  "every-eval-ever", check=0)
        results, samples = self.read(self.folder / "merged")
        self.assertNotIn("date", results, "when parts were scored nobody knows")
        self.assertEqual((self.without_times(results), samples), (self.without_times(whole[0]), whole[1]))
        records_of(self.folder / "merged")

    def test_parts_by_another_protocol_are_refused(self):
        self.run_command("evaluate", "--data", self.home / "data", "--report", self.folder / "other", "--part", "1/2")
        self.run_command("evaluate", "--data", self.home / "data", "--report", self.folder / "other", "--part", "2/2")
        done = chainrule("report", "merge", *sorted(self.folder.glob("other.part*")), "--report", self.folder / "other",
                         "--write", "lm-eval", check=64)
        self.assertIn("this is protocol document", done.err)
        self.assertFalse((self.folder / "other").exists())

    def test_all_protocols(self):
        report = self.evaluate("all", "--protocol", "all", "--context-length", 16, "--write", "lm-eval", "--write",
                               "every-eval-ever")
        self.assertEqual(len(list(report.rglob("results_*.json"))), 1)
        self.read(report / "lm-eval")
        for protocol in ("document", "packed", "lm-eval", "llama.cpp", "hf-stride", "gptq"):
            record, found = records_of(report / protocol)
            self.assertEqual(record["eval_library"]["additional_details"]["protocol"], protocol)
            made = json.loads((report / protocol / "report.json").read_text())
            scores = [each["score"] for each in found.values()]
            for number in made["of_protocol"]["numbers"]:
                self.assertIn(number["perplexity"], scores, f"{protocol}: {number['name']}")

    def test_all_protocols_where_lm_eval_cannot(self):
        lines = self.folder / "special.jsonl"
        lines.write_text(json.dumps({"text": "the cat <|endoftext|> sat on the mat. " * 20}) + "\n")
        chainrule("pack", "--tokenizer", self.home / "tokenizer.json", "--input", lines, "--output",
                  self.folder / "special", check=0)
        done = self.run_command("evaluate", "--data", self.folder / "special", "--report", self.folder / "none",
                                "--protocol", "all", "--write", "lm-eval", check=65)
        self.assertIn("--write lm-eval is of protocol lm-eval, which cannot score this data", done.err)
        self.assertFalse((self.folder / "none").exists())


if __name__ == "__main__":
    unittest.main()
