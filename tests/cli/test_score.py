"""`chainrule score` from the outside: the chain rule on a real checkpoint."""
import html.parser
import json
import math
import unittest

from program import chainrule
from terminal import at_terminal
from text_model import TextModelTest

TEXT = "the cat sat on the mat.\nthe café burned"


class Page(html.parser.HTMLParser):
    """The tokens of the heat map and the cells of the table."""

    def __init__(self, text):
        super().__init__()
        self.tokens, self.links, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.links += [value for name, value in attributes.items() if name in ("src", "href")]
        if tag == "b":
            self.tokens.append("")
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if "b" in self.open:
            self.tokens[-1] += data


class Score(TextModelTest):
    def json(self, *arguments, **more):
        return json.loads(self.run_command("score", "--json", *arguments, **more).out)

    def test_the_factors_multiply_to_the_texts_probability(self):
        score = self.json("--text", TEXT)
        tokens = score["tokens"]
        self.assertEqual(b"".join(bytes.fromhex(token["bytes"]) for token in tokens), TEXT.encode())
        total = 0
        for i, token in enumerate(tokens):
            total += math.log(token["probability"])
            self.assertEqual(token["position"], i)
            self.assertAlmostEqual(math.exp(-token["nll_nats"]), token["probability"], 12)
            self.assertAlmostEqual(token["nll_bits"], token["nll_nats"] / math.log(2), 9)
            self.assertAlmostEqual(token["log_probability_so_far_nats"], total, 6)
            self.assertEqual(token["rank"] == 1, token["likeliest"]["token_id"] == token["token_id"])
            self.assertGreaterEqual(token["likeliest"]["probability"], token["probability"])
        self.assertAlmostEqual(score["log_likelihood_nats"], total, 6)
        self.assertAlmostEqual(score["cross_entropy_nats"], -total / len(tokens), 6)
        self.assertAlmostEqual(score["perplexity"], math.exp(-total / len(tokens)), 5)
        self.assertAlmostEqual(score["bits_per_byte"], -total / math.log(2) / len(TEXT.encode()), 6)
        self.assertEqual((score["text_bytes"], score["tokens_scored"]), (len(TEXT.encode()), len(tokens)))
        self.assertEqual(score["model"]["step"], 60)

    def test_each_factor_is_the_one_that_next_gives_for_its_prefix(self):
        tokens = self.json("--text", "a dog ran")["tokens"]
        text = b""
        for token in tokens:
            (self.folder / "prefix").write_bytes(text)
            expected = json.loads(self.run_command("next", "--json", "--top", 1000, "--input",
                                                   self.folder / "prefix").out)
            text += bytes.fromhex(token["bytes"])
            if expected["context_tokens"] != token["position"] + 1:
                continue  # the prefix alone is split otherwise
            same = [each for each in expected["tokens"] if each["token_id"] == token["token_id"]]
            self.assertAlmostEqual(same[0]["nll_nats"], token["nll_nats"], delta=1e-5)
            self.assertEqual(same[0]["rank"], token["rank"])

    def test_a_trained_model_knows_its_language(self):
        likely = self.json("--text", "the cat sat on the mat.")
        unlikely = self.json("--text", "mat the on sat cat the.")
        self.assertLess(likely["bits_per_byte"] * 2, unlikely["bits_per_byte"])

    def test_text_file_and_standard_input_are_the_same(self):
        (self.folder / "text.txt").write_text(TEXT, encoding="utf-8")
        by_option = self.run_command("score", "--json", "--text", TEXT).out
        self.assertEqual(self.run_command("score", "--json", "--input", self.folder / "text.txt").out, by_option)
        self.assertEqual(self.run_command("score", "--json", input=TEXT.encode()).out, by_option)

    def test_a_checkpoint_a_run_and_a_launcher_give_the_same(self):
        expected = self.run_command("score", "--text", TEXT).out
        self.assertEqual(chainrule("score", "--model", self.checkpoint, "--text", TEXT, check=0).out, expected)
        for ranks in (1, 2):  # whose standard output looks like a terminal
            self.assertEqual(self.run_command("score", "--text", TEXT, ranks=ranks).out, expected)

    def test_table(self):
        out = self.run_command("score", "--text", TEXT).out
        self.assertNotIn("\x1b", out)
        tokens = self.json("--text", TEXT)["tokens"]
        lines = out.splitlines()
        self.assertEqual(lines[0].split()[:4], ["token", "probability", "nats", "bits"])
        self.assertEqual(lines[len(tokens) + 1], "")
        self.assertIn("␣", lines[2] + lines[3])
        self.assertTrue(any("⏎" in line for line in lines))
        self.assertIn(f"log-likelihood  {self.json('--text', TEXT)['log_likelihood_nats']:.4f} nats", out)

    def test_heat_map_at_a_terminal_alone(self):
        arguments = ["score", "--model", self.run_directory, "--text", TEXT]
        code, out = at_terminal(*arguments)
        self.assertEqual(code, 0)
        self.assertIn(b"\x1b[38;5;16;48;5;", out)
        self.assertNotIn(b"48;2;", out)
        self.assertIn("⏎\x1b[0m\n".encode(), out)
        self.assertIn(b"perplexity", out)
        self.assertIn(b"48;2;", at_terminal(*arguments, env={"COLORTERM": "truecolor"})[1])
        plain = self.run_command("score", "--text", TEXT).out.encode()
        self.assertEqual(at_terminal(*arguments, env={"NO_COLOR": "1"})[1], plain)
        self.assertEqual(at_terminal(*arguments, "--table")[1], plain)

    def test_page(self):
        page = self.folder / "page.html"
        self.run_command("score", "--text", "<b>the &amp; cat\x07</b>\n", "--html", page)
        text = page.read_text(encoding="utf-8")
        parsed = Page(text)
        self.assertEqual(parsed.open, [])
        self.assertEqual(parsed.links, [], "a page that needs nothing but itself")
        self.assertEqual("".join(parsed.tokens), "<b>the &amp; cat\\u{7}</b>⏎\n")
        self.assertIn("prefers-color-scheme: dark", text)

    def test_bytes_that_are_no_text(self):
        (self.folder / "bytes").write_bytes(b"\xff\xfe caf\xc3")
        score = self.json("--input", self.folder / "bytes")
        self.assertEqual(b"".join(bytes.fromhex(token["bytes"]) for token in score["tokens"]), b"\xff\xfe caf\xc3")
        self.assertIn("\\xff", self.run_command("score", "--input", self.folder / "bytes").out)

    def test_special_tokens_spelled_in_a_text_are_text(self):
        tokens = self.json("--text", "a<|endoftext|>b")["tokens"]
        self.assertEqual(b"".join(bytes.fromhex(token["bytes"]) for token in tokens), b"a<|endoftext|>b")
        self.assertGreater(len(tokens), 5)

    def test_slide(self):
        text = "the old man painted every house. " * 30
        self.expect_failure(64, ["context of 64", "--slide"], "score", "--text", text)
        done = self.run_command("score", "--slide", "--text", text)
        self.assertIn("windows", done.out)
        score = self.json("--slide", "--text", text)
        self.assertGreater(score["windows"], 1)
        self.assertEqual(b"".join(bytes.fromhex(token["bytes"]) for token in score["tokens"]), text.encode())


if __name__ == "__main__":
    unittest.main()
