"""The page of `chainrule report RUN [RUN ...]`: stands alone, shows its numbers, fits into narrow and wide windows."""
import html
import itertools
import json
import math
import re
import shutil
import unittest

from pages import Pages
from program import chainrule
from text_model import TextModelTest


def metrics_line(step, loss, tokens_a_step=64, **more):
    return json.dumps({"step": step, "tokens": tokens_a_step * step, "samples": step, "loss": loss, "learning_rate": 1e-3,
                       "gradient_norm": 0.5, "tokens_per_second": 1000 + step % 7, "elapsed_seconds": 0.1 * step,
                       **more}) + "\n"


class CurvesPage(Pages, TextModelTest):
    def setUp(self):
        super().setUp()
        self.page = self.folder / "page.html"

    def copy_run(self, name):
        return shutil.copytree(self.run_directory, self.folder / name)

    def make_run(self, name, lines):
        run = self.folder / name
        run.mkdir()
        (run / "metrics.jsonl").write_text("".join(lines))
        return run

    def make_page(self, *runs):
        done = chainrule("report", *runs, "--output", self.page, check=0)
        self.assertIn(str(self.page), done.out)
        text = self.page.read_text()
        self.assert_stands_alone(text.replace("{{x}}", ""))  # a run is called so
        return text

    def assert_fits_a_phone_and_a_laptop(self):
        self.assert_fits(self.page, (360, 390, 1280))

    def test_one_run(self):
        run = self.copy_run("a <i>&{{x}}")
        text = self.make_page(run)
        metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        last = metrics[-1]
        self.assertIn(f'<td data-name="loss">{last["loss"]:.4f}</td>', text)
        self.assertIn(f'<td data-name="gradient norm">{last["gradient_norm"]:.3g}</td>', text)
        self.assertIn('<td data-name="step">60 of 60</td>', text)
        self.assertIn(html.escape("a <i>&{{x}}"), text)
        self.assertNotIn("<i>", text)
        for title in ("Training loss", "Learning rate", "Gradient norm", "Throughput",
                      "Share of the machine&apos;s peak"):
            self.assertIn(f"<figcaption>{title}</figcaption>", text)
        for kind in ("start", "checkpoint", "end"):
            self.assertIn(f'<td data-name="event">{kind}</td>', text)
        self.assertIn("chainrule report", text)
        self.assertIn("<th>learning-rate</th><td>0.003</td>", text, "of config.cfg")
        self.assert_fits_a_phone_and_a_laptop()

    def test_several_runs_lie_over_each_other(self):
        long_name = "b" * 200
        changed = self.copy_run(long_name)
        config = changed / "config.cfg"
        config.write_text(config.read_text() + "mark = <b>bold</b>\n")
        text = self.make_page(self.copy_run("a"), changed, self.copy_run("c"))
        charts = re.findall(r"<figure><figcaption>[^<]*</figcaption><svg.*?</svg>", text, re.S)
        self.assertEqual(len(charts), 5)  # loss, learning rate, gradient norm, tokens/s, share of the peak
        loss = charts[0]
        for run in range(3):
            self.assertIn(f'class="line c{run} d{run}"', loss)
            self.assertGreater(loss.count(f'class="mark full c{run}"'), 2, "told apart without colour")
        shapes = {re.search(rf'class="mark full c{run}"[^>]* d="([^"]*)"', loss)[1] for run in range(3)}
        self.assertEqual(len(shapes), 3)
        self.assertEqual(text.count("<li>"), 3)
        self.assertIn("&lt;b&gt;bold", text)
        self.assertIn("In which the runs differ", text)
        self.assert_fits_a_phone_and_a_laptop()

    def test_curves_go_through_their_values(self):
        losses = [8.0, 4.0, 2.0, 4.0, 8.0]
        text = self.make_page(self.make_run("run", [metrics_line(i + 1, loss) for i, loss in enumerate(losses)]))
        path = re.search(r'class="line c0 d0" d="([^"]*)"', text)[1]
        points = [tuple(map(float, point)) for point in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]
        self.assertEqual(len(points), len(losses))
        (first, high), (_, middle), (_, low) = points[:3]
        self.assertAlmostEqual(middle - high, low - middle, delta=0.2, msg="from 8 to 2 the axis is logarithmic")
        self.assertEqual([y for _, y in points], [y for _, y in reversed(points)])
        self.assertAlmostEqual(points[4][0] - points[3][0], points[1][0] - first, delta=0.2)

    def test_a_long_run_keeps_its_extremes_in_a_small_page(self):
        steps = 60_000
        def lines(seed):
            for step in range(1, steps + 1):
                loss = 3 + math.sin(step * seed)
                yield metrics_line(step, {31_234: 40.0, 41_234: 0.5}.get(step, loss), validation_loss=loss,
                                   validation_losses={f"source {i}": loss + i for i in range(4)})
        runs = [self.make_run(f"run {seed}", lines(seed)) for seed in (1, 2)]
        text = self.make_page(*runs)
        self.assertLess(len(text), 2_000_000)
        self.assertIn("from 0.5 to 40,", text)
        band = re.search(r'class="band c0" d="([^"]*)"', text)[1]
        heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", band)]
        self.assertLess(min(heights), 31, "the spike reaches the upper edge")
        self.assertGreater(max(heights), 239, "and the trough the lower one")
        for i in range(4):
            self.assertIn(f"<figcaption>Validation loss: source {i}</figcaption>", text)

    def test_skipped_and_slow_steps_are_events(self):
        text = self.make_page(self.make_run("run", [
            metrics_line(1, 4.0), metrics_line(2, None, gradient_norm=None, skipped="the loss of <3> tokens"),
            metrics_line(3, 3.5, slowest_rank=1, slowest_host="n<7>", slowest_behind=0.25),
            metrics_line(4, 3.5, stopped=True)]))
        self.assertIn("the loss of &lt;3&gt; tokens", text)
        self.assertIn("rank 1 on n&lt;7&gt;, 25 % behind the median", text)
        self.assertEqual(text.count('class="cross c0"'), 1)
        for kind in ("skipped step", "slow rank", "stop"):
            self.assertIn(f'<td data-name="event">{kind}</td>', text)

    def test_runs_of_other_batches_are_compared_by_tokens(self):
        runs = [self.make_run(f"run {tokens}", [metrics_line(step, 3.0, tokens) for step in range(1, 9)])
                for tokens in (64, 128)]
        text = self.make_page(*runs)
        self.assertIn(">tokens</text>", text)
        ends = [max(float(x) for x in re.findall(r"[ML]([\d.]+) ", path))
                for path in re.findall(r'class="line c\d d\d" d="([^"]*)"', text.split("<h2>Curves")[1])[:2]]
        self.assertGreater(ends[1], ends[0] + 150)

    def test_runs_of_growing_batches_lie_at_their_tokens(self):
        """One takes 64 tokens a step, the other 32 at first and then 96: as many in all."""
        growing = list(itertools.accumulate([32] * 4 + [96] * 4))
        runs = [self.make_run("constant", [metrics_line(step, 3.0) for step in range(1, 9)]),
                self.make_run("growing", [metrics_line(step, 3.0, tokens=tokens)
                                          for step, tokens in enumerate(growing, 1)])]
        text = self.make_page(*runs)
        self.assertIn(">tokens</text>", text)
        places = [[float(x) for x in re.findall(r"[ML]([\d.]+) ", path)]
                  for path in re.findall(r'class="line c\d d\d" d="([^"]*)"', text.split("<h2>Curves")[1])[:2]]
        constant = dict(zip(range(64, 513, 64), places[0]))
        for tokens, place in zip(growing, places[1]):
            if tokens in constant:
                self.assertAlmostEqual(place, constant[tokens], delta=0.2)
        self.assertAlmostEqual((places[1][5] - places[1][4]) / (places[1][1] - places[1][0]), 3, delta=0.05)
        text = self.make_page(runs[1], self.make_run("shorter", [metrics_line(step, 2.0, tokens=tokens)
                                                                for step, tokens in enumerate(growing[:6], 1)]))
        self.assertIn(">step</text>", text, "the same ramp")

    def test_a_run_without_a_step(self):
        run = self.folder / "run"
        run.mkdir()
        (run / "config.cfg").write_text("steps = 5\n")
        self.assertIn("No finite value", self.make_page(run))
        self.assert_fits_a_phone_and_a_laptop()


class Calls(TextModelTest):
    def setUp(self):
        super().setUp()
        self.run_folder = shutil.copytree(self.run_directory, self.folder / "run")

    def test_the_page_lies_in_the_run_and_is_made_anew(self):
        page = self.run_folder / "report.html"
        for words in (["report", self.run_folder], ["report", "curves", self.run_folder],
                      ["report", "--run", self.run_folder], ["report", "run"]):
            chainrule(*words, check=0, cwd=self.folder)
            self.assertIn("Training loss", page.read_text())
            page.write_text(page.read_text().replace("Training loss", "old"))
        self.assertEqual(len([each for each in self.run_folder.iterdir() if each.name.startswith("report")]), 1)

    def test_nothing_else_is_overwritten(self):
        page = self.folder / "page.html"
        page.write_text("mine")
        done = chainrule("report", self.run_folder, "--output", page, check=73)
        self.assertIn("page.html' is already there and no page of this command", done.err)
        self.assertEqual(page.read_text(), "mine")
        chainrule("report", "--output", self.folder / "new.html", self.run_folder, check=0)

    def test_refusals(self):
        log = self.run_folder / "metrics.jsonl"
        lines = log.read_text().splitlines(keepends=True)
        for words, code, message in (
            (["report", self.folder / "absent"], 66, "absent' is not there"),
            (["report", self.folder], 66, "is no run directory"),
            (["report", "zebra"], 66, "'zebra' is not there"),
            (["report", "comapre", "a"], 64, "did you mean 'compare'?"),
            (["report", *[self.run_folder] * 17], 64, "a page shows at most 16"),
            (["report", "curves"], 64, "run"),
            (["report", self.run_folder, "--output", ""], 64, "--output is empty"),
            (["report", self.run_folder, "--output", self.run_folder / "config.cfg" / "page.html"], 73, "page.html"),
        ):
            with self.subTest(words=words):
                self.assertIn(message, chainrule(*words, check=code, cwd=self.folder).err)
        log.write_text("".join(lines[:7]) + "{}\n" + "".join(lines[7:]))
        self.assertIn("metrics.jsonl', line 8", chainrule("report", self.run_folder, check=65).err)
        self.assertFalse((self.run_folder / "report.html").exists())
        log.write_text("".join(lines) + lines[-1][:50])
        chainrule("report", self.run_folder, check=0)


if __name__ == "__main__":
    unittest.main()
