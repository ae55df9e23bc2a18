"""`chainrule evaluate` from the outside: its files, its table, and the same bytes on any number of ranks."""
import csv
import json
import math
import unittest

import h5py
import numpy

from evaluation import EvaluationTest
from program import chainrule

TEXT_TOKENS = [100, 0, 1, 31, 32, 33, 700, 2, 64, 5, 5, 900, 0]  # of the fixture's documents


class Evaluate(EvaluationTest):
    def report(self, name="report"):
        return json.loads((self.folder / name / "report.json").read_text())

    def test_the_same_bytes_on_any_number_of_ranks(self):
        for protocol, more in (("document", ["--stride", 12]), ("packed", [])):
            first = None
            for ranks in (None, 1, 2, 3, 4, 7):
                name = f"{protocol} {ranks}"
                chainrule(*self.options(name), "--protocol", protocol, "--micro-batch", 8, *more, ranks=ranks, check=0)
                results = [(self.folder / name / file).read_bytes()
                           for file in ("report.json", "domains.csv", "documents.csv")]
                first = first or results
                self.assertEqual(results, first, name)
                environment = json.loads((self.folder / name / "environment.json").read_text())
                self.assertEqual(environment["ranks"], ranks or 1)

    def test_more_ranks_than_documents(self):
        for ranks in (1, 3):
            chainrule(*self.options(f"report {ranks}", "model", "pair/held-out"), ranks=ranks, check=0)
        self.assertEqual((self.folder / "report 1" / "report.json").read_bytes(),
                         (self.folder / "report 3" / "report.json").read_bytes())

    def test_document_protocol(self):
        done = chainrule(*self.options(), check=0)
        report = self.report()
        self.assertEqual(report["protocol"], "document")
        self.assertEqual((report["context_length"], report["stride"]), (32, 16))
        self.assertEqual(report["tokens_scored"], sum(TEXT_TOKENS))
        self.assertEqual(report["documents"], len(TEXT_TOKENS))
        self.assertIs(report["complete"], True)
        self.assertEqual((report["end_of_text_tokens"], report["end_of_text_nll_nats"]), (0, 0))
        self.assertEqual(report["nonfinite_tokens"], 0)
        self.assertEqual(report["step"], 3)
        # A model with random weights knows nothing: about ln V nats a token.
        self.assertAlmostEqual(report["cross_entropy_nats"], math.log(97), delta=0.5)
        self.assertAlmostEqual(report["cross_entropy_nats"], report["nll_nats"] / report["tokens_scored"], 12)
        self.assertAlmostEqual(report["perplexity"], math.exp(report["cross_entropy_nats"]), 9)
        self.assertAlmostEqual(report["bits_per_byte"], report["nll_nats"] / math.log(2) / report["bytes"], 12)
        self.assertEqual(report["bytes"], 4 * sum(TEXT_TOKENS))
        self.assertAlmostEqual(report["uniform_nats"], math.log(97), 12)
        self.assertLess(report["unigram_entropy_nats"], math.log(97))
        self.assertGreater(report["cross_entropy_standard_error_nats"], 0)
        domains = report["domains"]
        self.assertEqual(set(domains), {"prose", 'code, "c++"'})
        for field in ("documents", "tokens_scored", "bytes", "words"):
            self.assertEqual(sum(domain[field] for domain in domains.values()), report[field], field)
        self.assertAlmostEqual(sum(domain["nll_nats"] for domain in domains.values()), report["nll_nats"], 6)
        self.assertIn("overall", done.out)
        self.assertIn("unigram entropy", done.out)
        self.assertIn(str(self.folder / "report"), done.out)

    def test_packed_protocol_scores_end_of_text_too(self):
        chainrule(*self.options(), "--protocol", "packed", "--context-length", 20, check=0)
        report = self.report()
        self.assertEqual(report["tokens_scored"], sum(TEXT_TOKENS) + len(TEXT_TOKENS))
        self.assertEqual(report["end_of_text_tokens"], len(TEXT_TOKENS))
        self.assertEqual((report["context_length"], report["stride"]), (20, 20))
        text_nats = report["nll_nats"] - report["end_of_text_nll_nats"]
        self.assertAlmostEqual(report["bits_per_byte"], text_nats / math.log(2) / report["bytes"], 9)

    def test_csv_files(self):
        chainrule(*self.options(), check=0)
        with open(self.folder / "report" / "documents.csv", newline="") as file:
            documents = list(csv.DictReader(file))
        self.assertEqual([int(row["tokens_scored"]) for row in documents], TEXT_TOKENS)
        self.assertEqual([int(row["index"]) for row in documents], list(range(len(TEXT_TOKENS))))
        self.assertEqual((documents[0]["source"], documents[0]["line"]), ("a, b.txt", ""))
        self.assertEqual((documents[3]["source"], documents[3]["line"]), ("lines.jsonl", "3"))
        self.assertEqual(documents[1]["domain"], 'code, "c++"')
        self.assertEqual(documents[1]["perplexity"], "", "nothing scored, so none")
        report = self.report()
        self.assertAlmostEqual(sum(float(row["nll_nats"]) for row in documents), report["nll_nats"], 6)
        with open(self.folder / "report" / "domains.csv", newline="") as file:
            domains = list(csv.DictReader(file))
        self.assertEqual([row["scope"] for row in domains], ["domain", "domain", "overall"])
        self.assertEqual(float(domains[-1]["perplexity"]), report["perplexity"])

    def test_part_of_the_data_says_so(self):
        done = chainrule(*self.options(), "--max-documents", 4, check=0)
        report = self.report()
        self.assertIs(report["complete"], False)
        self.assertEqual((report["documents"], report["documents_in_data"]), (4, len(TEXT_TOKENS)))
        self.assertEqual(report["tokens_scored"], sum(TEXT_TOKENS[:4]))
        self.assertIn("the first 4 of 13 documents", done.out)

    def test_a_run_directory_means_its_last_checkpoint(self):
        chainrule(*self.options("a"), check=0)
        chainrule(*self.options("b", "run"), check=0)
        self.assertEqual((self.folder / "a" / "report.json").read_bytes(),
                         (self.folder / "b" / "report.json").read_bytes())

    def test_the_micro_batch_changes_the_result_by_rounding_only(self):
        for micro_batch in (1, 40):
            chainrule(*self.options(f"{micro_batch}"), "--micro-batch", micro_batch, check=0)
        one, forty = self.report("1"), self.report("40")
        self.assertEqual(one["tokens_scored"], forty["tokens_scored"])
        self.assertAlmostEqual(one["cross_entropy_nats"], forty["cross_entropy_nats"], 5)

    def test_every_token(self):
        for protocol, ranks in (("document", 1), ("packed", 3)):
            name = f"{protocol} report"
            chainrule(*self.options(name), "--protocol", protocol, "--token-nll", ranks=ranks, check=0)
            report = self.report(name)
            with h5py.File(self.folder / name / "tokens.h5", "r") as file:
                nll, document = file["nll"][:], file["document"][:]
                self.assertEqual({each: file[each].dtype.str for each in file},
                                 {"nll": "<f8", "token": "<u4", "position": "<u8", "document": "<u8",
                                  "entropy": "<f4", "likelier": "<u4"})
                self.assertEqual(len(nll), report["tokens_scored"])
                self.assertAlmostEqual(nll.sum(), report["nll_nats"], 6)
                self.assertAlmostEqual((file["likelier"][:] < 1).mean(), report["top1_accuracy"], 12)
                self.assertAlmostEqual((file["likelier"][:] < 5).mean(), report["top5_accuracy"], 12)
                self.assertAlmostEqual(file["entropy"][:].astype(float).mean(), report["predictive_entropy_nats"], 6)
                self.assertTrue((file["position"][1:] > file["position"][:-1]).all())
                error = math.sqrt(nll.var() / (len(nll) - 1))
                self.assertAlmostEqual(error, report["cross_entropy_independent_standard_error_nats"], 9)
            with open(self.folder / name / "documents.csv", newline="") as file:
                for row in csv.DictReader(file):
                    nats = nll[document == int(row["index"])].sum()
                    self.assertAlmostEqual(nats, float(row["nll_nats"]), 6)
            for part in (1, 2):
                chainrule(*self.options(name), "--protocol", protocol, "--part", f"{part}/2", check=0)
            parts = [self.folder / f"{name}.part-{part}-of-2" for part in (1, 2)]
            merged = self.folder / f"{protocol} merged"
            chainrule("report", "merge", *parts, "--token-nll", "--report", merged, check=0)
            self.assertEqual((merged / "tokens.h5").read_bytes(), (self.folder / name / "tokens.h5").read_bytes())

    def evaluate_beside(self, name, baseline, *more, model="model", ranks=1):
        chainrule(*self.options(name, model), "--baseline", self.fixture / baseline, *more, ranks=ranks, check=0)
        return self.report(name)

    def test_a_model_beside_itself(self):
        chainrule(*self.options("alone"), check=0)
        for number, model in enumerate(("model", "run")):
            report = self.evaluate_beside(f"beside {number}", model)
            beside = report.pop("baseline")
            self.assertEqual(report, self.report("alone"), "the rest is as without a baseline")
            self.assertEqual((beside["weights_hash"], beside["step"]), (report["weights_hash"], report["step"]))
            self.assertEqual(beside["tokens_scored"], report["tokens_scored"])
            zero = {"value": 0, "standard_error": 0, "independent_standard_error": 0}
            for name in ("kl_nats", "log_perplexity_ratio", "probability_change", "probability_change_rms"):
                self.assertEqual(beside[name], zero, name)
            self.assertEqual(beside["same_top"], {**zero, "value": 1})
            self.assertEqual(beside["perplexity_ratio"], 1)
            self.assertAlmostEqual(beside["correlation"], 1, 12)
            self.assertAlmostEqual(beside["perplexity"], report["perplexity"], 9)
            for each in beside["quantiles"]:
                self.assertEqual((each["kl_nats"], each["probability_change"]), (0, 0))

    def test_beside_a_baseline(self):
        """What is said of all tokens follows from what tokens.h5 says of each; the baseline's are its own evaluation's."""
        for protocol in ("document", "packed"):
            context = ["--protocol", protocol, "--context-length", 32, "--token-nll"]
            chainrule(*self.options(f"{protocol} own", "baseline"), *context, check=0)
            report = self.evaluate_beside(protocol, "baseline", *context)
            self.assertEqual(self.evaluate_beside(f"{protocol} 3", "baseline", *context, ranks=3), report)
            self.assertEqual((self.folder / protocol / "tokens.h5").read_bytes(),
                             (self.folder / f"{protocol} 3" / "tokens.h5").read_bytes())
            with h5py.File(self.folder / f"{protocol} own" / "tokens.h5", "r") as file:
                own = file["nll"][:]
            with h5py.File(self.folder / protocol / "tokens.h5", "r") as file:
                nll, kl, baseline, document = (file[each][:] for each in ("nll", "kl", "baseline_nll", "document"))
            self.assertEqual(baseline.tobytes(), own.tobytes(), "every bit of the baseline's own evaluation")
            own_report, beside = self.report(f"{protocol} own"), report["baseline"]
            self.assertEqual((beside["weights_hash"], beside["step"]), (own_report["weights_hash"], 5))
            self.assertAlmostEqual(beside["perplexity"], own_report["perplexity"], 6)
            self.assertAlmostEqual(beside["log_perplexity_ratio"]["value"],
                                   math.log(report["perplexity"] / own_report["perplexity"]), 9)
            self.assertAlmostEqual(beside["correlation"], numpy.corrcoef(nll, baseline)[0, 1], 9)
            change = numpy.exp(-nll) - numpy.exp(-baseline)
            self.assertGreater(kl.min(), 0)
            self.assertLess(beside["same_top"]["value"], 1)
            for name, values in (("kl_nats", kl), ("log_perplexity_ratio", nll - baseline),
                                 ("probability_change", change), ("cross_entropy_nats", baseline)):
                mean, n = values.mean(), len(values)
                self.assertAlmostEqual(beside[name]["value"], mean, 12, name)
                self.assertAlmostEqual(beside[name]["independent_standard_error"],
                                       values.std() / math.sqrt(n - 1), 12, name)
                sums = [(values[document == each] - mean).sum() for each in numpy.unique(document)]
                clustered = math.sqrt(len(sums) / (len(sums) - 1) * sum(each ** 2 for each in sums)) / n
                self.assertAlmostEqual(beside[name]["standard_error"], clustered, 12, name)
            rms = math.sqrt((change ** 2).mean())
            self.assertAlmostEqual(beside["probability_change_rms"]["value"], rms, 12)
            self.assertAlmostEqual(beside["probability_change_rms"]["independent_standard_error"],
                                   0.5 / rms * (change ** 2).std() / math.sqrt(len(change) - 1), 12)
            fractions = [each["fraction"] for each in beside["quantiles"]]
            self.assertEqual((fractions[0], fractions[6], fractions[-1]), (0, 0.5, 1))
            for name, values in (("kl_nats", kl), ("probability_change", change)):
                expected = numpy.quantile(values, fractions)
                numpy.testing.assert_allclose([each[name] for each in beside["quantiles"]], expected, rtol=1e-12,
                                              atol=1e-15)
        done = chainrule("report", "compare", self.folder / "document", self.folder / "document own", "--json", check=0)
        self.assertNotEqual(json.loads(done.out)["others"][0]["overall"]["nats_per_token"]["difference"], 0)
        page = (self.folder / "document" / "report.html").read_text()
        self.assertIn("Beside the baseline", page)
        done = chainrule(*self.options("said"), "--baseline", self.fixture / "baseline", check=0)
        self.assertIn("from the baseline: KL divergence", done.out)

    def test_baselines_that_do_not_fit(self):
        for baseline, code, said in (("baseline-short", 64, ["baseline-short", "reads 16 tokens", "context length 32"]),
                                     ("baseline-wide", 65, ["baseline-wide", "vocabulary of 97", "98"]),
                                     ("baseline-other", 65, ["baseline-other", "different tokenizers"]),
                                     ("absent", 66, ["absent"])):
            done = chainrule(*self.options(), "--baseline", self.fixture / baseline, check=code)
            for text in said:
                self.assertIn(text, done.err)
            self.assertEqual(list(self.folder.iterdir()), [], "nothing is left")
        self.evaluate_beside("short", "baseline-short", "--context-length", 16)
        done = chainrule("evaluate", "--model", self.fixture / "model", "--baseline", self.fixture / "baseline",
                         "--requests", self.folder / "r", "--output", self.folder / "o", check=64)
        self.assertIn("--baseline does not go with --requests", done.err)

    def test_tokens_that_are_not_finite_beside_a_baseline(self):
        options = ["--baseline", self.fixture / "model-nan"]
        done = chainrule(*self.options(), *options, check=65)
        self.assertIn("tokens have no finite result", done.err)
        report = self.report()
        self.assertEqual(report["nonfinite_tokens"], 0)
        self.assertEqual(report["baseline"]["nonfinite_tokens"] + report["baseline"]["tokens_scored"],
                         report["tokens_scored"])
        self.assertGreater(report["baseline"]["nonfinite_tokens"], 0)
        self.assertIsNone(report["baseline"]["kl_nats"]["value"])
        self.assertEqual(report["baseline"]["quantiles"], [])
        chainrule(*self.options("allowed"), *options, "--allow-nonfinite", check=0)

    def test_inspect_says_what_evaluations_leave(self):
        chainrule(*self.options(), check=0)
        said = json.loads(chainrule("inspect", self.folder / "report", "--json", check=0).out)
        self.assertEqual(said["kind"], "evaluation report")
        self.assertEqual(said["perplexity"], self.report()["perplexity"])
        chainrule(*self.options(), "--part", "1/2", check=0)
        part = self.folder / "report.part-1-of-2"
        said = json.loads(chainrule("inspect", part, "--json", check=0).out)
        self.assertEqual((said["kind"], said["bytes_of_an_unfinished_record"]), ("part of an evaluation", 0))
        self.assertIn(self.report()["weights_hash"], said["evaluation"])
        self.assertGreater(said["tokens_scored"], 0)
        whole = part.read_bytes()
        journal = self.folder / "other.journal"
        journal.write_bytes(whole[:-5])
        less = json.loads(chainrule("inspect", journal, "--json", check=0).out)
        self.assertEqual((less["kind"], less["work_units"]), ("journal of an evaluation", said["work_units"] - 1))
        self.assertGreater(less["bytes_of_an_unfinished_record"], 5)
        part.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        self.assertIn("are no whole record", chainrule("inspect", part, check=65).err)
        (self.folder / "report" / "report.json").write_text("{}")
        self.assertIn("is no evaluation report", chainrule("inspect", self.folder / "report", check=65).err)

    def test_empty_values_are_refused_by_name(self):
        for name in ("model", "data", "report"):
            words = self.options()
            words[words.index(f"--{name}") + 1] = ""
            self.assertIn(f"--{name} is empty", chainrule(*words, check=64).err)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_bands_and_macro_averages(self):
        chainrule(*self.options(), check=0)
        report = self.report()
        for name in ("by_context", "by_document_length", "by_token_frequency"):
            bands = report[name]
            self.assertEqual(sum(band["tokens_scored"] for band in bands), report["tokens_scored"], name)
            nats = sum(band["tokens_scored"] * band["cross_entropy_nats"] for band in bands)
            self.assertAlmostEqual(nats, report["nll_nats"], 6)
        self.assertEqual(sum(each["tokens"] for each in report["calibration"]), report["tokens_scored"])
        means = [domain["cross_entropy_nats"] for domain in report["domains"].values()]
        self.assertAlmostEqual(report["macro_cross_entropy_nats"], sum(means) / len(means), 12)
        self.assertLess(report["perplexity_low"], report["perplexity"])
        with open(self.folder / "report" / "sources.csv", newline="") as file:
            self.assertEqual(sum(int(row["tokens_scored"]) for row in csv.DictReader(file)), report["tokens_scored"])

    def test_compare(self):
        chainrule(*self.options("a"), check=0)
        chainrule(*self.options("b"), "--context-length", 8, check=0)
        a, b = self.report("a"), self.report("b")
        done = chainrule("report", "compare", self.folder / "a", self.folder / "b", "--json", check=0)
        overall = json.loads(done.out)["others"][0]["overall"]
        self.assertAlmostEqual(overall["bits_per_byte"]["difference"], b["bits_per_byte"] - a["bits_per_byte"], 12)
        self.assertAlmostEqual(overall["nats_per_token"]["difference"],
                               b["cross_entropy_nats"] - a["cross_entropy_nats"], 12)
        done = chainrule("report", "compare", self.folder / "a", self.folder / "b", check=0)
        self.assertIn("improved most", done.out)
        done = chainrule("report", "power", self.folder / "a", self.folder / "b", "--difference", 0.001, check=0)
        self.assertIn("documents tell 0.001 bits/byte apart in 80 % of corpora", done.out)
        for arguments, code, said in ((["compare", self.folder / "a"], 64, "two reports"),
                                      (["compare", self.folder / "a", self.folder / "absent"], 66, "absent"),
                                      (["power", self.folder / "a", self.folder / "b", "--difference", 0], 64, "above 0"),
                                      (["power", self.folder / "a", self.folder / "b"], 64, "--difference")):
            self.assertIn(said, chainrule("report", *arguments, check=code).err)
        chainrule(*self.options("c"), "--max-documents", 4, check=0)
        done = chainrule("report", "compare", self.folder / "a", self.folder / "c", check=65)
        self.assertIn("same texts", done.err)

    def test_in_a_job_it_says_where_it_runs(self):
        done = chainrule(*self.options(), ranks=2, check=0, env={"SLURM_JOB_ID": "71", "SLURM_JOB_NAME": "mine"})
        self.assertRegex(done.err, r"(?m)^job     Slurm 71 \(mine\)")
        self.assertRegex(done.err, r"(?m)^ranks   2 x 1 thread on 1 node: \S+: ranks 0-1 on processors \d")
        self.assertRegex(done.err, r"(?m)^memory  \S+ needs \d+ MiB: 2 ranks of \d+ MiB \(weights")
        self.assertRegex(done.err, r"(?m)^output  '.*/report' on \w+")
        self.assertRegex(done.err, r"(?m)^\d+:\d\d on 2 cores: \S+ core-hours, \S+ tokens a core-hour")
        environment = json.loads((self.folder / "report" / "environment.json").read_text())
        self.assertEqual((environment["job"]["scheduler"], environment["job"]["id"]), ("Slurm", "71"))

    def test_environment(self):
        chainrule(*self.options(), "--threads", 2, ranks=2, check=0)
        environment = json.loads((self.folder / "report" / "environment.json").read_text())
        self.assertEqual((environment["ranks"], environment["threads_per_rank"]), (2, 2))
        self.assertGreater(environment["scored_tokens_per_second"], 0)
        self.assertEqual([host["ranks"] for host in environment["hosts"]], [2])
        self.assertGreater(environment["hosts"][0]["memory_bytes"], 0)
        self.assertGreaterEqual(environment["padding_share"], 0)
        self.assertLess(environment["padding_share"], 0.5)
        self.assertLess(0, environment["fastest_rank_seconds"])
        self.assertLessEqual(environment["fastest_rank_seconds"], environment["slowest_rank_seconds"])
        self.assertLessEqual(environment["slowest_rank_seconds"], environment["scoring_seconds"])
        text = (self.folder / "report" / "report.json").read_text()
        self.assertNotIn(str(self.fixture), text, "results hold no paths of the run")


if __name__ == "__main__":
    unittest.main()
