"""The page of `chainrule report runs --html`: stands alone, shows its numbers, and fits into narrow and wide windows."""
import html
import json
import re
import shutil
import unittest

from pages import Pages
from program import chainrule
from text_model import TextModelTest


class RunsPage(Pages, TextModelTest):
    def setUp(self):
        super().setUp()
        self.runs = self.folder / "runs"
        self.runs.mkdir()
        self.page = self.folder / "page.html"

    def copy_run(self, name):
        return shutil.copytree(self.run_directory, self.runs / name)

    def make_page(self):
        done = chainrule("report", "runs", self.runs, "--html", self.page, check=0)
        text = self.page.read_text()
        self.assert_stands_alone(text)
        return done, text

    def test_numbers_and_layout(self):
        self.copy_run("a <i>&{{x}}")
        stopped = self.copy_run("b" * 200)
        shutil.rmtree(stopped / "checkpoints" / "step-00000060")
        metrics = (stopped / "metrics.jsonl").read_text().splitlines(keepends=True)
        (stopped / "metrics.jsonl").write_text("".join(metrics[:45]))
        (self.copy_run("c") / "config.cfg").write_text("steps = <b>\n")
        (self.runs / "d.job").mkdir()
        (self.runs / "d.job" / "command").write_text("pretrain --steps 60\n")
        (self.runs / "d.job" / "submitted").write_text("slurm\t4711\tpretrain\n")
        numbers = json.loads(chainrule("report", "runs", self.runs, "--json", check=0).out)["runs"]
        self.assertEqual([run["state"] for run in numbers], ["finished", "stopped", "damaged", "waiting"])
        _, text = self.make_page()
        self.assertIn('<p class="headline">4 runs</p>', text)
        for state, count in (("running", 0), ("waiting", 1), ("stopped", 1), ("finished", 1), ("damaged", 1)):
            self.assertIn(f"<dt>{state}</dt><dd>{count}<", text)
        bars = re.findall(r'class="bar ?(\w*)" style="width:([\d.]+)%"', text)
        self.assertEqual(bars, [("better", "100.00"), ("", "75.00"), ("worse", "0.00"), ("", "0.00")])
        for run in numbers:
            self.assertIn(f"<figcaption>{html.escape(run['run'])}<small>{run['state']}", text)
            if "loss" in run:
                self.assertIn(f"<td>{run['loss']:.4f}</td>", text)
                self.assertIn(f"<td>{run['tokens_per_second']:.0f}</td>", text)
        for shown in ("45 of 60", "stopped at 30", "waiting for job 4711", "'steps' is '<b>', which is no number of steps",
                      "chainrule report runs"):
            self.assertIn(shown, html.unescape(text))
        for name in ("<i>", "<b>"):
            self.assertNotIn(name, text)
        self.assert_fits(self.page)

    def assert_stands_alone(self, text):
        super().assert_stands_alone(text.replace("{{x}}", ""))  # a run is called so

    def test_no_runs(self):
        done, text = self.make_page()
        self.assertEqual(done.out, "there are no runs\n")
        self.assertIn("0 runs", text)
        self.assert_fits(self.page)

    def test_a_page_is_not_overwritten(self):
        self.page.write_text("mine")
        done = chainrule("report", "runs", self.runs, "--html", self.page, check=73)
        self.assertIn("--html", done.err)
        self.assertEqual((self.page.read_text(), done.out), ("mine", ""))


if __name__ == "__main__":
    unittest.main()
