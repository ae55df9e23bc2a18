"""report.html of `chainrule evaluate`: stands alone, shows its numbers, and fits into narrow and wide windows."""
import html
import json
import re
import unittest

from browser import layout
from evaluation import EvaluationTest
from pages import Pages
from program import chainrule
from text_model import TextModelTest


class ReportPage(Pages, EvaluationTest):
    def test_numbers_and_layout(self):
        chainrule(*self.options(), ranks=2, check=0)
        page = self.folder / "report" / "report.html"
        text = page.read_text()
        report = json.loads((self.folder / "report" / "report.json").read_text())
        self.assert_stands_alone(text)
        for shown in (f"{report['perplexity']:.2f}", f"{report['perplexity_low']:.2f}", report["weights_hash"],
                      report["data_fingerprint"], html.escape('code, "c++"'),
                      f"{report['domains']['prose']['cross_entropy_nats']:.4f}", "mpirun -n 2 chainrule evaluate"):
            self.assertIn(shown, text)
        self.assertIn("Not shown, for want of the tokenizer", text)
        self.assert_fits(page)

    def test_what_does_not_fit_is_noticed(self):
        chainrule(*self.options(), check=0)
        page = self.folder / "report" / "report.html"
        page.write_text(page.read_text().replace("<main>", '<main><p style="width: 2000px">wide</p>'))
        self.assertGreater(layout(page, 1280)[2], 0)

    def test_no_finite_result(self):
        chainrule(*self.options("report", "model-nan"), check=65)
        page = self.folder / "report" / "report.html"
        self.assertIn("tokens have no finite result", page.read_text())
        self.assert_fits(page)


class TextPage(Pages, TextModelTest):
    def test_documents_are_shown_token_by_token(self):
        lines = [{"text": text, "domain": "x" * 200} for text in
                 ("<b>not bold</b> & \u202e\x07\nnew " * 20, "a" * 3000, "short", "words and words " * 30)]
        source = self.folder / ("long name " * 15 + ".jsonl")
        source.write_text("".join(json.dumps(line) + "\n" for line in lines))
        chainrule("pack", "--tokenizer", self.home / "tokenizer.json", "--input", source, "--output",
                  self.folder / "data", check=0)
        chainrule("evaluate", "--model", self.run_directory, "--data", self.folder / "data", "--report",
                  self.folder / "report", check=0)
        page = self.folder / "report" / "report.html"
        text = page.read_text()
        self.assert_stands_alone(text)
        self.assertNotIn("<b>not", text)
        self.assertNotIn("\x07", text)
        self.assertIn("Most surprising", text)
        self.assertIn("more tokens", text)
        self.assertGreater(len(re.findall(r'<b class="h\d+" title="[\d.]+ nats">', text)), 300)
        self.assert_fits(page)


if __name__ == "__main__":
    unittest.main()
