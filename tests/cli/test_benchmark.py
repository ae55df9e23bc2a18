"""`chainrule benchmark --json` runs on a tiny model and its figures agree with each other. No figure is judged."""
import json
import unittest

from program import chainrule

TINY = ["--model", "tiny", "--vocabulary-size", "300", "--sequence-length", "32", "--rounds", "1", "--threads", "1"]


class Benchmark(unittest.TestCase):
    def check(self, figures, ranks):
        self.assertEqual(figures["ranks"], ranks)
        for name in ("peak_gflops", "matmul_gflops", "train_tokens_per_second", "evaluate_tokens_per_second",
                     "train_peak_memory_bytes", "evaluate_peak_memory_bytes", "read_tokens_per_second",
                     "tokenize_megabytes_per_second"):
            self.assertGreater(figures[name], 0, name)
        flops = figures["forward_flops_per_token"]
        parameters, layers, width = figures["parameters"], figures["layers"], figures["width"]
        self.assertEqual(flops, 2 * parameters + 2 * layers * figures["sequence_length"] * width)
        for step, passes in (("train", 3), ("evaluate", 1)):
            gflops = figures[f"{step}_tokens_per_second"] * passes * flops / 1e9
            self.assertAlmostEqual(figures[f"{step}_gflops"] / gflops, 1, places=6)
            self.assertAlmostEqual(figures[f"{step}_fraction"] / (gflops / figures["matmul_gflops"]), 1, places=6)
        tokens = figures["global_batch"] * figures["sequence_length"]
        self.assertAlmostEqual(figures["train_tokens_per_second"] * figures["train_step_seconds"] / tokens, 1, places=6)
        self.assertLessEqual(figures["reduction_seconds"], figures["train_step_seconds"])
        self.assertLessEqual(figures["read_wait_seconds"], figures["train_step_seconds"])
        self.assertEqual(figures["decode_weight_bytes"],
                         4 * (parameters - figures["sequence_length"] * width))
        self.assertAlmostEqual(figures["decode_bound_tokens_per_second"] * figures["decode_weight_bytes"]
                               / figures["memory_read_bytes_per_second"], 1, places=6)
        self.assertAlmostEqual(figures["decode_fraction"] * figures["decode_bound_tokens_per_second"]
                               / figures["decode_tokens_per_second"], 1, places=6)
        self.assertGreater(figures["prompt_tokens_per_second"], 0)
        self.assertEqual(ranks > 1, "exposed_exchange" in figures)
        if ranks > 1:
            exposed = figures["train_step_seconds"] - figures["step_without_exchange_seconds"]
            self.assertAlmostEqual(figures["exposed_exchange"] * figures["exchange_alone_seconds"], exposed, places=6)

    def test_alone(self):
        self.check(json.loads(chainrule("benchmark", *TINY, "--json", check=0).out), 1)

    def test_on_two_ranks(self):
        self.check(json.loads(chainrule("benchmark", *TINY, "--json", ranks=2, check=0).out), 2)

    def test_recomputation(self):
        for recompute in ("none", "attention", "full"):
            done = chainrule("benchmark", *TINY, "--recompute", recompute, "--json", check=0)
            figures = json.loads(done.out)
            self.check(figures, 1)
            self.assertEqual(figures["recompute"], recompute)

    def test_mistakes(self):
        for words in (["--model", "gpt9"], ["--math", "float8"], ["--recompute", "some"], ["--micro-batch", "0"],
                      ["--micro-batch", "2", "--global-batch", "3"]):
            done = chainrule("benchmark", *words, check=64)
            self.assertIn("--" + words[-2].lstrip("-"), done.err)


if __name__ == "__main__":
    unittest.main()
