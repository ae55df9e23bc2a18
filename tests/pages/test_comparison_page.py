"""The page of `chainrule report compare --html`: stands alone, shows its numbers, and fits into narrow and wide windows."""
import html
import json
import re
import unittest

from evaluation import EvaluationTest
from pages import Pages
from program import chainrule
from text_model import TextModelTest


class ComparisonPage(Pages, TextModelTest):
    def report(self, name, texts, model=None):
        """texts: by domain. Over a data set that is packed once for each test."""
        data = self.folder / "data"
        if not data.exists():
            named = []
            for domain, lines in texts.items():
                path = self.folder / f"{'p' * 90} {len(named)}.jsonl"
                path.write_text("".join(json.dumps({"text": text}) + "\n" for text in lines))
                named.append(f"{domain}={path}")
            chainrule("pack", "--tokenizer", self.home / "tokenizer.json", "--domain", *named, "--output", data, check=0)
        chainrule("evaluate", "--model", model or self.run_directory, "--data", data, "--report", self.folder / name, check=0)
        return self.folder / name

    def earlier(self):
        return sorted((self.run_directory / "checkpoints").iterdir())[0]

    def texts(self):
        return {"prose & <b>": ["the cat sat on the mat. " * n for n in range(4, 16)],
                "x" * 200: ["xyzzy 01 " * n for n in range(1, 4)], "one": ["a dog ran from a tree."]}

    def compare(self, *reports, check=0):
        page = self.folder / f"page {len(reports)}.html"
        done = chainrule("report", "compare", *reports, "--html", page, check=check)
        text = page.read_text()
        self.assert_stands_alone(text)
        return done, page, text

    def numbers(self, *reports):
        return json.loads(chainrule("report", "compare", *reports, "--json", check=0).out)

    def test_numbers_and_layout(self):
        first, other = self.report("a<i>", self.texts(), self.earlier()), self.report("b", None)
        done, page, text = self.compare(first, other)
        self.assertEqual(done.out, chainrule("report", "compare", first, other, check=0).out, "the text stays as it is")
        numbers = self.numbers(first, other)
        overall = numbers["others"][0]["overall"]
        difference = overall["bits_per_byte"]
        headline, interval = (re.search(rf'<p class="{name}">(.*?)</p>', text)[1] for name in ("headline", "interval"))
        self.assertEqual(headline, f"{difference['difference']:+.4f}")
        self.assertIn(f"{difference['low']:+.4f} to {difference['high']:+.4f} in 95 %", interval)
        self.assertLess(difference["high"], 0, "thirty more steps help")
        self.assertIn("<strong>b is better.</strong>", text)
        self.assertIn(f"{overall['better']} of {overall['documents']}", text)
        self.assertIn(f"{overall['better']} improved, {overall['worse']} worsened, {overall['same']} the same", text)
        rows = re.findall(r'<div class="row">.*?</div>', text)
        self.assertEqual(len(rows), len(numbers["others"][0]["domains"]))
        for (name, domain), row in zip(numbers["others"][0]["domains"].items(), rows, strict=True):
            self.assertIn(html.escape(name), row)
            self.assertIn(f"{domain['bits_per_byte']['difference']:+.4f}", row)
            self.assertIn("better" if domain["bits_per_byte"]["difference"] < 0 else "worse", row)
            self.assertEqual("reach" in row, "low" in domain["bits_per_byte"], "one document has no interval")
        for each in numbers["others"][0]["improved_most"] + numbers["others"][0]["worsened_most"]:
            self.assertIn(f"{each['nats']:+.2f}</td><td class=\"n\">{each['bits_per_byte']:+.4f}", text)
        for shown in (numbers["first"]["weights_hash"], numbers["others"][0]["weights_hash"], html.escape("a<i>"),
                      "chainrule report compare", "<svg"):
            self.assertIn(shown, text)
        self.assertNotIn("<i>", text)
        self.assert_fits(page)

    def test_bars_lie_where_their_numbers_are(self):
        first, other = self.report("a", self.texts(), self.earlier()), self.report("b", None)
        _, _, text = self.compare(first, other)
        domains = [each["bits_per_byte"] for each in self.numbers(first, other)["others"][0]["domains"].values()]
        ends = [0] + [each.get(end, each["difference"]) for each in domains for end in ("low", "high")]
        least, most = min(ends), max(ends)
        def at(value):
            return 100 * (value - least) / (most - least)
        number = r"([\d.]+)%"
        bars = re.findall(rf'class="bar \w+" style="left:{number};width:{number}"></span><span class="zero" style="left:{number}',
                          text)
        self.assertEqual(len(bars), len(domains))
        for bar, each in zip(bars, domains, strict=True):
            left, width, zero = map(float, bar)
            value = each["difference"]
            self.assertAlmostEqual(left, at(min(0, value)), delta=0.02)
            self.assertAlmostEqual(width, abs(at(value) - at(0)), delta=0.02)
            self.assertAlmostEqual(zero, at(0), delta=0.02)

    def test_a_model_and_itself(self):
        first, other = self.report("a", {"prose": ["the cat sat on the mat."] * 3}), self.report("b", None)
        _, page, text = self.compare(first, other)
        self.assertIn("<strong>Not told apart.</strong>", text)
        self.assertIn("0 improved, 0 worsened, 3 the same", text)
        self.assertEqual(text.count(">None.<"), 2)
        self.assert_fits(page)

    def test_one_document(self):
        first, other = self.report("a", {"prose": ["the cat"]}, self.earlier()), self.report("b", None)
        _, page, text = self.compare(first, other)
        self.assertIn("no interval: it takes two documents", text)
        self.assertIn("<strong>Not to be told apart.</strong>", text)
        self.assert_fits(page)

    def test_three_reports(self):
        reports = [self.report("a", self.texts(), self.earlier()), self.report("b", None), self.report("c" * 150, None)]
        _, page, text = self.compare(*reports)
        self.assertEqual(text.count('class="headline"'), 2)
        self.assertIn("from training", text)
        self.assert_fits(page)

    def test_other_protocols_are_said(self):
        first = self.report("a", self.texts())
        chainrule("evaluate", "--model", self.run_directory, "--data", self.folder / "data", "--protocol", "packed",
                  "--report", self.folder / "b", check=0)
        self.assertIn("Not scored alike: the first by protocol document", self.compare(first, self.folder / "b")[2])


class Refusals(EvaluationTest):
    def test_a_page_is_not_overwritten(self):
        chainrule(*self.options(), check=0)
        page = self.folder / "page.html"
        page.write_text("mine")
        done = chainrule("report", "compare", self.folder / "report", self.folder / "report", "--html", page, check=73)
        self.assertIn("--html", done.err)
        self.assertEqual((page.read_text(), done.out), ("mine", ""))

    def test_nothing_is_written_of_what_cannot_be_compared(self):
        chainrule(*self.options(), check=0)
        chainrule(*self.options("nan", "model-nan"), check=65)
        page = self.folder / "page.html"
        chainrule("report", "compare", self.folder / "report", self.folder / "nan", "--html", page, check=65)
        self.assertFalse(page.exists())


if __name__ == "__main__":
    unittest.main()
