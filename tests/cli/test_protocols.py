"""`chainrule evaluate --protocol` from the outside: each protocol, all of them, and text that is joined."""
import csv
import json
import math
import signal
import unittest

import h5py

from held_evaluation import stop_while_scoring
from program import chainrule
from text_model import TextModelTest

PROTOCOLS = ["document", "packed", "lm-eval", "llama.cpp", "hf-stride", "gptq"]
RESULTS = ["report.json", "domains.csv", "bands.csv", "documents.csv", "sources.csv"]


class Protocols(TextModelTest):
    def evaluate(self, report, *more, data=None, **options):
        return self.run_command("evaluate", "--data", data or self.home / "data", "--report", self.folder / report, *more,
                                **options)

    def report(self, name):
        return json.loads((self.folder / name / "report.json").read_text())

    def pack(self, name, texts, tokenizer=None):
        lines = self.folder / f"{name}.jsonl"
        lines.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        chainrule("pack", "--tokenizer", tokenizer or self.home / "tokenizer.json", "--input", lines, "--output",
                  self.folder / name, check=0)
        return self.folder / name

    def ids(self, text):
        (self.folder / "text").write_bytes(text.encode())
        return chainrule("tokenizer", "encode", "--tokenizer", self.home / "tokenizer.json", "--input",
                         self.folder / "text", check=0).out.split()

    def results(self, name):
        return {file: (self.folder / name / file).read_bytes() for file in RESULTS}

    def test_the_same_bytes_on_any_number_of_ranks(self):
        for protocol in PROTOCOLS[2:]:
            first = None
            for ranks in (None, 1, 2, 3):
                self.evaluate(f"{protocol} {ranks}", "--protocol", protocol, "--micro-batch", 2, ranks=ranks)
                made = self.results(f"{protocol} {ranks}")
                first = first or made
                self.assertEqual(made, first, f"{protocol} on {ranks}")

    def test_each_protocol_beside_a_baseline(self):
        baseline = ["--baseline", sorted((self.run_directory / "checkpoints").iterdir())[0]]
        self.evaluate("all", "--protocol", "all", *baseline, ranks=2)
        for protocol in PROTOCOLS:
            self.evaluate(protocol, "--protocol", protocol, *baseline)
            report = self.report(protocol)
            self.assertEqual(report, json.loads((self.folder / "all" / protocol / "report.json").read_text()))
            self.assertEqual(report["baseline"]["tokens_scored"], report["tokens_scored"], protocol)
            self.assertGreater(report["baseline"]["kl_nats"]["value"], 0)

    def test_divergences_are_those_of_whole_distributions(self):
        """Of each token of a text, from all probabilities that `next` gives behind the text before it."""
        text = "the old man looked at the wide river."
        models = [self.run_directory, sorted((self.run_directory / "checkpoints").iterdir())[0]]
        self.evaluate("report", "--baseline", models[1], "--token-nll", data=self.pack("one", [text]))
        with h5py.File(self.folder / "report" / "tokens.h5", "r") as file:
            divergences, baseline = file["kl"][:], file["baseline_nll"][:]
        ids = self.ids(text)
        before = [(self.ids(text[:end]), end) for end in range(len(text))]
        cuts = {len(each): end for each, end in before if each == ids[:len(each)]}
        self.assertGreater(len(cuts), 5)
        for at, end in cuts.items():
            both = []
            for model in models:
                said = json.loads(chainrule("next", "--model", model, "--text", text[:end], "--top", 1000, "--json",
                                            check=0).out)["tokens"]
                both.append({each["token_id"]: each["probability"] for each in said})
            p, b = both
            expected = sum(of_b * math.log(of_b / p[token]) for token, of_b in b.items())
            self.assertAlmostEqual(divergences[at], expected, delta=1e-5 * (1 + expected))
            self.assertAlmostEqual(baseline[at], -math.log(b[int(ids[at])]), delta=1e-5)

    def test_joined_text_is_encoded_whole(self):
        texts = ["the cat sat on the mat.", "", "a dog ran from a tree.\n", "the", "", "my sister painted every house."] * 9
        data = self.pack("joined", texts)
        tokens = len(self.ids("\n\n".join(texts)))
        for protocol, scored in (("llama.cpp", tokens // 16 * 7), ("gptq", tokens // 16 * 15), ("hf-stride", tokens - 1)):
            more = ["--stride", 8] if protocol == "hf-stride" else []
            self.evaluate(protocol, "--protocol", protocol, "--context-length", 16, *more, data=data)
            report = self.report(protocol)
            of_protocol = report["of_protocol"]
            self.assertEqual((of_protocol["tokens"], report["tokens_scored"]), (tokens, scored), protocol)
            self.assertEqual(scored + sum(each["tokens"] for each in of_protocol["dropped"]), tokens)
            self.assertEqual((report["documents"], report["documents_in_data"], report["end_of_text_tokens"]),
                             (len(texts), len(texts), 0))
            self.assertIsNone(report["bits_per_byte"], "only a part of the text is scored")
            self.assertIsNone(of_protocol["prefix_token"], "this tokenizer has no template")
            with open(self.folder / protocol / "documents.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual(sum(int(row["tokens_scored"]) for row in rows), scored)
            if protocol == "hf-stride":  # blank lines are scored with the document before them
                own = [len(self.ids(text)) for text in texts]
                self.assertGreaterEqual(int(rows[0]["tokens_scored"]), own[0])

    def test_numbers_divide_as_their_protocol_does(self):
        self.evaluate("llama", "--protocol", "llama.cpp", "--context-length", 32)
        report = self.report("llama")
        number = report["of_protocol"]["numbers"][0]
        self.assertEqual(number["perplexity"], report["perplexity"])
        self.assertAlmostEqual(number["perplexity_error"],
                               report["perplexity"] * report["cross_entropy_independent_standard_error_nats"], 12)
        self.evaluate("lm", "--protocol", "lm-eval")
        report = self.report("lm")
        words, per_byte, tokens = report["of_protocol"]["numbers"]
        self.assertAlmostEqual(words["perplexity"], math.exp(report["nll_nats"] / report["words"]), 6)
        self.assertAlmostEqual(per_byte["perplexity"], report["byte_perplexity"], 12)
        self.assertEqual(tokens["perplexity"], report["perplexity"])
        self.evaluate("gptq", "--protocol", "gptq", "--context-length", 32)
        report = self.report("gptq")  # windows are equal, so their mean is that of tokens
        self.assertAlmostEqual(report["of_protocol"]["numbers"][0]["perplexity"], report["perplexity"], 9)
        self.evaluate("hf", "--protocol", "hf-stride", "--context-length", 32, "--stride", 8)
        page, older = self.report("hf")["of_protocol"]["numbers"]
        self.assertNotEqual(page["perplexity"], older["perplexity"])

    def test_lm_eval_is_document_with_windows_that_do_not_overlap(self):
        self.evaluate("lm", "--protocol", "lm-eval")
        self.evaluate("document", "--stride", 64)
        lm, document = self.report("lm"), self.report("document")
        for field in ("nll_nats", "tokens_scored", "bits_per_byte", "word_perplexity", "by_context"):
            self.assertEqual(lm[field], document[field], field)

    def test_all_has_the_files_of_each(self):
        data = self.pack("long", ["the cat sat on the mat. a dog ran from a tree.\n" * 40] * 3)
        first = None
        for ranks in (None, 2, 3):
            done = self.evaluate(f"all {ranks}", "--protocol", "all", data=data, ranks=ranks)
            made = {name: self.results(f"all {ranks}/{name}") for name in PROTOCOLS}
            made["protocols.json"] = (self.folder / f"all {ranks}" / "protocols.json").read_bytes()
            first = first or made
            self.assertEqual(made, first, ranks)
            self.assertEqual([each.name for each in self.folder.glob("*.journal")], [])
        for protocol in PROTOCOLS:
            self.evaluate(protocol, "--protocol", protocol, data=data)
            self.assertEqual(self.results(protocol), first[protocol], protocol)
            self.assertIn(protocol, done.out)
        table = json.loads(first["protocols.json"])["protocols"]
        self.assertEqual(list(table), PROTOCOLS)
        for protocol, each in table.items():
            report = self.report(protocol)
            self.assertEqual((each["tokens_scored"], each["numbers"], each["dropped"]),
                             (report["tokens_scored"], report["of_protocol"]["numbers"], report["of_protocol"]["dropped"]))
            self.assertEqual(each["difference"] == "", protocol == "document")
            self.assertEqual(each["prefix"], "" if each["prefix_token"] is None else "<|endoftext|>")
        self.assertIn("not as document", done.out)

    def test_all_scores_equal_windows_once(self):
        done = self.evaluate("all", "--protocol", "all", "--stride", 64)
        self.assertIn("protocol document", done.err)
        self.assertNotIn("protocol lm-eval", done.err, "its windows are document's with this stride")
        document = json.loads((self.folder / "all/document/report.json").read_text())
        lm = json.loads((self.folder / "all/lm-eval/report.json").read_text())
        self.assertEqual(lm["nll_nats"], document["nll_nats"])
        self.assertEqual(lm["protocol"], "lm-eval")

    def stop_in(self, protocol, options, how):
        """Stops it once this protocol's journal grows; returns the exit code."""
        return stop_while_scoring(options, self.folder / f"stopped.{protocol}.journal", how)[0]

    def test_all_goes_on_where_it_was_stopped(self):
        slow = ["--protocol", "all", "--micro-batch", 1, "--stride", 1]
        options = ["evaluate", "--model", self.run_directory, "--data", self.home / "data", *slow]
        chainrule(*options, "--report", self.folder / "whole", check=0)
        options += ["--report", self.folder / "stopped"]
        self.assertEqual(self.stop_in("document", options, signal.SIGTERM), 75)
        self.assertEqual(self.stop_in("document", options, signal.SIGKILL), -signal.SIGKILL)
        self.assertEqual(self.stop_in("hf-stride", options, signal.SIGTERM), 75)
        self.assertEqual(self.stop_in("hf-stride", options, signal.SIGKILL), -signal.SIGKILL)
        self.assertFalse((self.folder / "stopped").exists())
        self.assertEqual(len(list(self.folder.glob("stopped.*.journal"))), len(PROTOCOLS))
        done = chainrule(*options, ranks=3, check=0)
        self.assertIn("going on with", done.err)
        for protocol in PROTOCOLS:
            self.assertEqual(self.results(f"stopped/{protocol}"), self.results(f"whole/{protocol}"), protocol)
        self.assertEqual(list(self.folder.glob("stopped.*")), [])

    def test_all_says_what_cannot_score_the_data(self):
        data = self.pack("short", ["the cat", "a dog <|endoftext|> ran"])
        done = self.evaluate("all", "--protocol", "all", data=data)
        table = json.loads((self.folder / "all" / "protocols.json").read_text())["protocols"]
        self.assertIsNone(table["document"]["left_out"])
        self.assertIn("document 1 spells a special token", table["lm-eval"]["left_out"])
        self.assertIn("document 1 spells a special token", table["hf-stride"]["left_out"])
        self.assertIn("are fewer than the 128", table["llama.cpp"]["left_out"])
        self.assertIn("no token that protocol gptq scores", table["gptq"]["left_out"])
        self.assertIn("lm-eval is left out: document 1", done.out)
        self.assertFalse((self.folder / "all" / "gptq").exists())

    def test_what_a_protocol_cannot_score_is_refused(self):
        data = self.pack("short", ["the cat", "a dog <|endoftext|> ran"])
        for protocol, words in (("lm-eval", "document 1 spells a special token"), ("gptq", "no token that protocol gptq"),
                                ("hf-stride", "document 1 spells a special token"), ("llama.cpp", "are fewer than the 128")):
            for ranks in (None, 2):
                done = self.evaluate("report", "--protocol", protocol, data=data, check=65, ranks=ranks)
                self.assertIn(words, done.err)
                self.assertFalse((self.folder / "report").exists())
        # llama.cpp reads a special token that is spelled as text.
        self.evaluate("report", "--protocol", "llama.cpp", "--context-length", 3, data=data)

    def test_options_that_no_protocol_has(self):
        for options, words in ((["--protocol", "rolling"], "neither document nor packed nor lm-eval nor llama.cpp nor"),
                               (["--protocol", "lm-eval", "--stride", 4], "--stride belongs to protocol document, hf-stride"),
                               (["--protocol", "gptq", "--context-length", 1], "shorter than the 2 that protocol gptq"),
                               (["--protocol", "llama.cpp", "--context-length", 2], "shorter than the 3"),
                               (["--protocol", "all", "--part", "1/2"], "--part")):
            self.assertIn(words, self.evaluate("report", *options, check=64).err)

    def test_parts_of_joined_text_are_merged(self):
        self.evaluate("whole", "--protocol", "hf-stride", "--micro-batch", 1, "--stride", 32)
        parts = []
        for part in (1, 2):
            self.evaluate("report", "--protocol", "hf-stride", "--micro-batch", 1, "--stride", 32, "--part", f"{part}/2")
            parts.append(self.folder / f"report.part-{part}-of-2")
        chainrule("report", "merge", *parts, "--report", self.folder / "merged", check=0)
        self.assertEqual(self.results("merged"), self.results("whole"))


if __name__ == "__main__":
    unittest.main()
