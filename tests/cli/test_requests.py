"""`chainrule evaluate --requests` from the outside: likelihoods of continuations, the same bytes on any number of ranks."""
import json
import random
import signal
import unittest

from held_evaluation import stop_while_scoring
from program import chainrule
from text_model import OBJECTS, SUBJECTS, VERBS, TextModelTest

PAIRS = [("the cat", " sat on the mat."), ("a dog ", "ran from a tree"), ("", "my sister painted every house."),
         ("the café\n", "the café"), ("the cat", " sat on the mat."), ("the cat", " sat on a tree."),
         ("the old man looked at", " t"), ("the old man looked at", " a"), ("the old man looked at", " the"),
         ("the cat sat", " on the mat."), ("the cat sat on the", " mat."), ("q", "zzz!")]


def pairs_of(count, seed=5):
    choose = random.Random(seed).choice
    return [(f"{choose(SUBJECTS)} {choose(VERBS)}", f" {choose(OBJECTS)}.") for _ in range(count)]


class Requests(TextModelTest):
    def write(self, lines, name="requests.jsonl"):
        path = self.folder / name
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        return path

    def of_pairs(self, pairs):
        return self.write([{"context": context, "continuation": rest, "id": f"№ {i}"}
                           for i, (context, rest) in enumerate(pairs)])

    def arguments(self, requests, output):
        return ["evaluate", "--model", self.checkpoint, "--requests", requests, "--output", self.folder / output]

    def answers(self, requests, *more, output="answers.jsonl", ranks=None):
        chainrule(*self.arguments(requests, output), *more, ranks=ranks, check=0)
        text = (self.folder / output).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def factors(self, text):
        """What `score` says of each token of a text, beginning with the first."""
        return json.loads(chainrule("score", "--model", self.checkpoint, "--json", "--text", text, check=0).out)["tokens"]

    def test_the_same_bytes_on_any_number_of_ranks(self):
        requests = self.of_pairs(pairs_of(1200) + PAIRS)
        first = None
        for ranks in (None, 1, 2, 3):
            answers = self.answers(requests, output=f"{ranks}", ranks=ranks)
            self.assertEqual([answer["id"] for answer in answers], [f"№ {i}" for i in range(1200 + len(PAIRS))])
            first = first or (self.folder / f"{ranks}").read_bytes()
            self.assertEqual((self.folder / f"{ranks}").read_bytes(), first, f"{ranks} ranks")

    def test_in_a_job_it_says_where_it_runs(self):
        done = chainrule(*self.arguments(self.of_pairs(PAIRS), "out"), ranks=2, check=0, env={"PBS_JOBID": "7.server"})
        self.assertRegex(done.err, r"(?m)^job     OpenPBS 7\.server")
        self.assertRegex(done.err, r"(?m)^memory  \S+ needs \d+ MiB: 2 ranks of \d+ MiB \(weights")
        self.assertRegex(done.err, r"(?m)^\d+:\d\d on 2 cores: \S+ core-hours$")

    def test_a_text_behind_the_empty_context_has_the_factors_of_score(self):
        """The empty context stands for the start token."""
        texts = ["the cat sat on the mat.", "the café burned", "zq<"]
        answers = self.answers(self.write([{"context": "", "continuation": text} for text in texts]))
        for text, answer in zip(texts, answers, strict=True):
            factors = self.factors(text)
            self.assertEqual(answer["tokens"], len(factors))
            self.assertAlmostEqual(answer["log_likelihood"], -sum(each["nll_nats"] for each in factors), 4)
            self.assertEqual(answer["is_greedy"], all(each["rank"] == 1 for each in factors))

    def test_the_chain_rule(self):
        """p(b c | a) = p(b | a) p(c | a b), whatever is computed once for several requests."""
        whole, first, second = self.answers(self.write([
            {"context": "the cat", "continuation": " sat on the mat."}, {"context": "the cat", "continuation": " sat on"},
            {"context": "the cat sat on", "continuation": " the mat."}]))
        self.assertAlmostEqual(whole["log_likelihood"], first["log_likelihood"] + second["log_likelihood"], 4)
        self.assertEqual(whole["tokens"], first["tokens"] + second["tokens"])

    def test_what_is_shared_changes_nothing(self):
        together = self.answers(self.of_pairs(PAIRS))
        for i, (context, continuation) in enumerate(PAIRS):
            alone, = self.answers(self.write([{"context": context, "continuation": continuation}]), output=f"{i}")
            self.assertAlmostEqual(together[i]["log_likelihood"], alone["log_likelihood"], 4, (context, continuation))
            self.assertEqual((together[i]["is_greedy"], together[i]["tokens"]), (alone["is_greedy"], alone["tokens"]))
        self.assertEqual(together[0]["log_likelihood"], together[4]["log_likelihood"])
        self.assertTrue(any(answer["is_greedy"] for answer in together))
        self.assertFalse(all(answer["is_greedy"] for answer in together))

    def test_white_space_at_the_end_of_a_context_belongs_to_the_continuation(self):
        answers = self.answers(self.write([{"context": "the cat", "continuation": " sat"},
                                           {"context": "the cat ", "continuation": "sat"},
                                           {"context": "the cat\u2003\x1f", "continuation": "sat"},
                                           {"context": "the cat", "continuation": "\u2003\x1fsat"}]))
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[2], answers[3])

    def test_texts(self):
        text = "the old man painted every house. " * 30
        tokens = len(json.loads(chainrule("score", "--model", self.checkpoint, "--slide", "--json", "--text", text,
                                          check=0).out)["tokens"])
        for ranks in (1, 3):
            long, empty, short = self.answers(self.write([{"text": text}, {"text": "", "id": -7}, {"text": "the cat"}]),
                                              output=f"{ranks}", ranks=ranks)
            self.assertEqual(long["tokens"], tokens)
            self.assertEqual(empty, {"id": -7, "log_likelihood": 0, "tokens": 0})
            self.assertAlmostEqual(short["log_likelihood"], -sum(each["nll_nats"] for each in self.factors("the cat")), 4)
        data = self.folder / "data"
        (self.folder / "text.txt").write_text(text)
        chainrule("pack", "--tokenizer", self.home / "tokenizer.json", "--input", self.folder / "text.txt", "--output", data,
                  check=0)
        chainrule("evaluate", "--model", self.checkpoint, "--data", data, "--stride", 64, "--report",
                  self.folder / "report", check=0)
        report = json.loads((self.folder / "report" / "report.json").read_text())
        self.assertAlmostEqual(long["log_likelihood"], -report["nll_nats"], 3)

    def test_what_is_longer_than_the_context_loses_its_beginning(self):
        context = "the old man painted every house. " * 30
        short, long = self.answers(self.write([{"context": "the cat", "continuation": " sat"},
                                               {"context": context, "continuation": "the cat"}]))
        self.assertNotIn("truncated", short)
        self.assertIs(long["truncated"], True)
        self.assertIs(self.answers(self.write([{"context": context, "continuation": "the cat"}]), "--context-length", 20,
                                   output="20")[0]["truncated"], True)
        done = chainrule(*self.arguments(self.write([{"context": "a", "continuation": context}]), "long"), check=65)
        self.assertIn("line 1: the continuation has", done.err)

    def test_killed_or_stopped_it_goes_on(self):
        requests = self.of_pairs(pairs_of(20_000))
        self.answers(requests, output="whole")
        journal = self.folder / "cut.journal"
        for ranks, how, code in ((None, signal.SIGKILL, -signal.SIGKILL), (2, signal.SIGUSR1, 75),
                                 (None, signal.SIGTERM, 75), (3, signal.SIGUSR1, 75)):
            before = journal.exists()
            ended, said = stop_while_scoring(self.arguments(requests, "cut"), journal, how, ranks=ranks)
            self.assertEqual(ended, code, said)
            self.assertEqual("going on with" in said, before, said)
        chainrule(*self.arguments(requests, "cut"), ranks=2, check=0)
        self.assertEqual((self.folder / "cut").read_bytes(), (self.folder / "whole").read_bytes())
        self.assertFalse(journal.exists())

    def test_other_threads_are_told(self):
        requests = self.of_pairs(pairs_of(3000))
        code, said = stop_while_scoring(self.arguments(requests, "out"), self.folder / "out.journal", signal.SIGUSR1)
        self.assertEqual(code, 75, said)
        done = chainrule(*self.arguments(requests, "out"), "--threads", 2, check=0)
        self.assertRegex(done.err, "was scored with .* 1 thread a rank', and not with .* 2 threads a rank': bits may differ")

    def test_a_journal_of_other_requests_is_not_taken(self):
        requests = self.of_pairs(pairs_of(3000))
        chainrule(*self.arguments(requests, "out"), "--time-limit", "0:00:00", check=64)
        stop_while_scoring(self.arguments(requests, "out"), self.folder / "out.journal", signal.SIGKILL)
        done = chainrule(*self.arguments(self.of_pairs(PAIRS), "out"), check=73)
        self.assertIn("another evaluation", done.err)

    def test_bad_lines(self):
        good = '{"context": "a", "continuation": "b"}\n'
        for line, said in (("{", "not JSON"), ("[]", "not an object"), ('{"context": "a"}', "'continuation' is missing"),
                           ('{"continuation": "a"}', "'context' is missing"), ('{"context": 1, "continuation": "b"}',
                                                                               "'context' is no string"),
                           ('{"context": "a", "continuation": "b", "weight": 2}', "'weight' is not known"),
                           ('{"text": "a", "continuation": "b"}', "'continuation' is not known beside 'text'"),
                           ('{"context": "a", "continuation": "b", "id": 1.5}', "'id'"),
                           ('{"context": "a", "continuation": "b", "id": 99999999999999999999}', "'id'"),
                           ('{"context": "a", "context": "a", "continuation": "b"}', "twice"),
                           ('{"context": "a", "continuation": ""}', "nothing to score"),
                           ('{"context": "", "continuation": ""}', "nothing to score"),
                           ('{"context": " \\n", "continuation": "b"}', "white space alone")):
            path = self.folder / "bad.jsonl"
            path.write_text(good * 700 + "\n" + line + "\n" + good * 300 + "{\n")
            for ranks in (None, 3):
                done = chainrule(*self.arguments(path, "out"), ranks=ranks, check=65)
                self.assertIn(f"bad.jsonl', line 702", done.err)
                self.assertIn(said, done.err)
        self.assertEqual([each.name for each in self.folder.iterdir()], ["bad.jsonl"])
        path.write_text("\n \n")
        self.assertIn("holds no request", chainrule(*self.arguments(path, "out"), check=65).err)
        chainrule(*self.arguments(self.folder / "absent", "out"), check=66)
        (self.folder / "there").touch()
        chainrule(*self.arguments(self.of_pairs(PAIRS), "there"), check=73)

    def test_options_that_do_not_belong(self):
        requests = self.of_pairs(PAIRS)
        for option in (["--data", "x"], ["--report", "x"], ["--protocol", "packed"], ["--stride", 2], ["--part", "1/2"],
                       ["--micro-batch", 2], ["--max-documents", 2], ["--token-nll"]):
            done = chainrule(*self.arguments(requests, "out"), *option, check=64)
            self.assertIn(f"{option[0]} does not go with --requests", done.err)
        done = chainrule("evaluate", "--model", self.checkpoint, "--requests", requests, check=64)
        self.assertIn("--output", done.err)
        done = chainrule("evaluate", "--model", self.checkpoint, "--data", "x", "--report", "y", "--output", "z", check=64)
        self.assertIn("--output does not go with --data", done.err)


if __name__ == "__main__":
    unittest.main()
