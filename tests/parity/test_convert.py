"""What `chainrule convert` writes, read by real transformers: every weight finds its place, the tokenizer gives the ids,
and each token of a text has the nats that `chainrule score` gives it.

Needs packages torch and transformers (4 or 5), and what tests/cli needs: CHAINRULE_PROGRAM, CHAINRULE_MPIRUN and
PYTHONPATH=tests/support.
"""
import json
import unittest

import torch
import transformers

from program import chainrule
from text_model import TextModelTest

LLAMA = ["--model", "llama-110m", "--layers", 2, "--heads", 4, "--key-value-heads", 2, "--width", 32,
         "--feed-forward-width", 48]
SHAPES = {"gpt2": ["--model", "tiny"], "llama": LLAMA, "mistral": [*LLAMA, "--attention-window", 9],
          "qwen3": [*LLAMA, "--query-key-norm"]}
TEXT = "the old man looked at every house. the caf\u00e9 painted a tree."
SCALINGS = {"linear": {"factor": 4.0}, "dynamic": {"factor": 2.0},
            "llama3": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                       "original_max_position_embeddings": 8},
            "yarn": {"factor": 4.0, "original_max_position_embeddings": 16, "truncate": False, "beta_fast": 8.0}}


class Converted(TextModelTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, shape in SHAPES.items():
            chainrule("pretrain", "--data", cls.home / "data", "--run", cls.home / name, "--sequence-length", 64,
                      "--micro-batch", 4, "--global-batch", 8, "--steps", 20, "--learning-rate", "1e-2",
                      "--validate-every", 0, *shape, check=0)

    def convert(self, model, name, *more):
        chainrule("convert", "--model", model, "--format", "hugging-face", "--output", self.folder / name, *more, check=0)
        return self.folder / name

    def check(self, folder, text=TEXT):
        model, loading = transformers.AutoModelForCausalLM.from_pretrained(
            folder, torch_dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
        for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            self.assertFalse(loading[kind], kind)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        tokens = json.loads(chainrule("score", "--model", folder, "--text", text, "--json", check=0).out)["tokens"]
        ids = tokenizer(text)["input_ids"]
        self.assertEqual(ids, [each["token_id"] for each in tokens])
        with torch.no_grad():
            logits = model.eval()(torch.tensor([[tokenizer.bos_token_id, *ids[:-1]]])).logits[0]
        nats = -torch.log_softmax(logits.double(), -1)[torch.arange(len(ids)), ids]
        for ours, theirs in zip(tokens, nats.tolist()):
            self.assertAlmostEqual(ours["nll_nats"], theirs, delta=2e-5)
        return model

    def test_families(self):
        for name in SHAPES:
            with self.subTest(name):
                model = self.check(self.convert(self.home / name, name))
                self.assertEqual(model.config.model_type, name)

    def test_bfloat16(self):
        self.check(self.convert(self.home / "llama", "bf16", "--encoding", "bf16"))

    def test_scalings(self):
        """Through our checkpoint and out again, so that the scaling is what we wrote."""
        for kind, scaling in SCALINGS.items():
            with self.subTest(kind):
                first = self.convert(self.home / "llama", f"{kind} first")
                config = json.loads((first / "config.json").read_text())
                positions = 16 if kind == "dynamic" else 64
                config.update(rope_scaling={"rope_type": kind, **scaling}, max_position_embeddings=positions)
                (first / "config.json").write_text(json.dumps(config))
                checkpoint = self.folder / f"{kind} checkpoint"
                chainrule("convert", "--model", first, "--format", "checkpoint", "--output", checkpoint, check=0)
                self.check(self.convert(checkpoint, f"{kind} second"))


if __name__ == "__main__":
    unittest.main()
