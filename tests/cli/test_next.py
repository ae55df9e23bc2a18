"""`chainrule next` from the outside: one distribution, as bars, JSON and a picture."""
import json
import math
import unittest
import xml.etree.ElementTree

from text_model import TextModelTest


class Next(TextModelTest):
    def json(self, *arguments):
        return json.loads(self.run_command("next", "--json", *arguments).out)

    def test_the_whole_vocabulary_sums_to_one(self):
        whole = self.json("--text", "the cat sat on", "--top", 1000)
        probabilities = [token["probability"] for token in whole["tokens"]]
        self.assertEqual(len(probabilities), whole["vocabulary_size"])
        self.assertAlmostEqual(sum(probabilities), 1, delta=1e-6)
        self.assertAlmostEqual(whole["probability_sum"], 1, delta=1e-6)
        self.assertEqual(probabilities, sorted(probabilities, reverse=True))
        self.assertAlmostEqual(whole["entropy_nats"], -sum(p * math.log(p) for p in probabilities), 9)
        self.assertAlmostEqual(whole["entropy_bits"], whole["entropy_nats"] / math.log(2), 9)
        part = self.json("--text", "the cat sat on", "--top", 5)
        self.assertEqual(part["tokens"], whole["tokens"][:5])
        self.assertAlmostEqual(part["rest_probability"], 1 - sum(probabilities[:5]), 9)
        self.assertAlmostEqual(part["shown_probability"], sum(probabilities[:5]), 9)

    def test_the_model_has_learned_what_follows(self):
        text = self.json("--text", "the cat sat")["tokens"][0]["text"]
        self.assertTrue(text.startswith(" "), text)

    def test_temperature(self):
        base = self.json("--text", "a dog", "--top", 1000)
        hot = self.json("--text", "a dog", "--top", 1000, "--temperature", 2)
        weights = {token["token_id"]: math.sqrt(token["probability"]) for token in base["tokens"]}
        total = sum(weights.values())
        for token in hot["tokens"]:
            self.assertAlmostEqual(token["probability"], weights[token["token_id"]] / total, 6)
        self.assertGreater(hot["entropy_nats"], base["entropy_nats"])

    def test_bars(self):
        out = self.run_command("next", "--text", "the cat sat on", "--top", 4).out
        lines = out.splitlines()
        vocabulary = self.json("--text", "")["vocabulary_size"]
        self.assertEqual(lines[0], "p(next token | “the cat sat on”)")
        self.assertTrue(lines[2].split()[1].startswith("␣"))
        self.assertIn("█" * 10, out)
        self.assertIn(f"{vocabulary - 4} others", lines[6])
        self.assertRegex(lines[-1], r"^entropy \d+\.\d+ bits \(\d+\.\d+ nats\)$")
        self.assertNotIn("\x1b", out)

    def test_an_empty_text_is_end_of_text(self):
        empty = self.json("--text", "")
        self.assertEqual((empty["context"], empty["context_tokens"]), ("", 1))
        self.assertIn("p(next token | end-of-text)", self.run_command("next", "--text", "").out)

    def test_picture(self):
        picture = self.folder / "next.svg"
        self.run_command("next", "--text", "<the> &", "--top", 7, "--svg", picture)
        root = xml.etree.ElementTree.parse(picture).getroot()
        space = "{http://www.w3.org/2000/svg}"
        self.assertEqual(root.tag, space + "svg")
        bars = [float(bar.get("width")) for bar in root.iter(space + "rect") if bar.get("class") == "bar"]
        self.assertEqual(len(bars), 7)
        self.assertEqual(bars, sorted(bars, reverse=True))
        self.assertIn("after “<the> &”", "".join(root.itertext()))

    def test_slide(self):
        text = "the old man painted every house. " * 30
        self.expect_failure(64, ["context of 64", "--slide"], "next", "--text", text)
        done = self.run_command("next", "--slide", "--json", "--text", text)
        self.assertIn("were let go", done.err)
        self.assertEqual(json.loads(done.out)["context_tokens"], 64)

    def test_under_a_launcher_one_process_answers(self):
        alone = self.run_command("next", "--text", "my").out
        self.assertEqual(self.run_command("next", "--text", "my", ranks=2).out, alone)


if __name__ == "__main__":
    unittest.main()
