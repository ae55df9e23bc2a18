"""`chainrule evaluate` from the outside: its files, its table, and the same bytes on any number of ranks."""
import csv
import json
import math
import unittest

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

    def test_environment(self):
        chainrule(*self.options(), "--threads", 2, ranks=2, check=0)
        environment = json.loads((self.folder / "report" / "environment.json").read_text())
        self.assertEqual((environment["ranks"], environment["threads_per_rank"]), (2, 2))
        self.assertGreater(environment["scored_tokens_per_second"], 0)
        self.assertGreaterEqual(environment["padding_share"], 0)
        self.assertLess(environment["padding_share"], 0.5)
        text = (self.folder / "report" / "report.json").read_text()
        self.assertNotIn(str(self.fixture), text, "results hold no paths of the run")


if __name__ == "__main__":
    unittest.main()
