"""One training step of the production decoder, recomputed with PyTorch in float64 from the formulas of GPT-2."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy
import torch
from torch.nn import functional


def logits_of(step, parameters, inputs):
    """inputs [B,T] -> logits [B,T,V]."""
    width, heads, epsilon = step["width"], step["heads"], step["epsilon"]

    def norm(x, name):
        return functional.layer_norm(x, (width,), parameters[name + ".weight"], parameters[name + ".bias"], epsilon)

    def linear(x, name):
        return functional.linear(x, parameters[name + ".weight"], parameters[name + ".bias"])

    texts, length = inputs.shape
    x = parameters["token_embedding.weight"][inputs] + parameters["position_embedding.weight"][:length]
    later = torch.ones(length, length, dtype=torch.bool).triu(1)
    for layer in range(step["layers"]):
        at = f"layers.{layer}."
        projected = linear(norm(x, at + "attention_norm"), at + "attention.query_key_value")
        query, key, value = (
            part.view(texts, length, heads, width // heads).transpose(1, 2) for part in projected.split(width, dim=2)
        )
        scores = query @ key.transpose(2, 3) / (width // heads) ** 0.5
        mixed = scores.masked_fill(later, float("-inf")).softmax(dim=3) @ value
        x = x + linear(mixed.transpose(1, 2).reshape(texts, length, width), at + "attention.output")
        up = linear(norm(x, at + "feed_forward_norm"), at + "feed_forward.up")
        x = x + linear(functional.gelu(up, approximate="tanh"), at + "feed_forward.down")
    return functional.linear(norm(x, "final_norm"), parameters["token_embedding.weight"])


def relative_l2(actual, expected):
    return float((actual - expected).norm() / expected.norm())


class TorchReference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([os.environ["CHAINRULE_DUMP_TRAINING_STEP"], folder], check=True)
            cls.step = json.loads((pathlib.Path(folder) / "step.json").read_text())
            numbers = numpy.fromfile(pathlib.Path(folder) / "step.f32", dtype="<f4").astype(numpy.float64)
        size = cls.step["arena_size"]
        arena, gradients, logits = numpy.split(numbers, [size, 2 * size])

        def tensors(values):
            named = {}
            for entry in cls.step["parameters"]:
                count = int(numpy.prod(entry["shape"]))
                flat = values[entry["offset"] : entry["offset"] + count]
                named[entry["name"]] = torch.tensor(flat).reshape(entry["shape"])
            return named

        cls.parameters = {name: tensor.requires_grad_() for name, tensor in tensors(arena).items()}
        cls.gradients = tensors(gradients)
        inputs, targets = torch.tensor(cls.step["inputs"]), torch.tensor(cls.step["targets"])
        cls.expected_logits = logits_of(cls.step, cls.parameters, inputs)
        cls.logits = torch.tensor(logits).reshape(cls.expected_logits.shape)
        cls.expected_nll = functional.cross_entropy(
            cls.expected_logits.flatten(0, 1), targets.flatten(), ignore_index=-1, reduction="none"
        )
        cls.expected_nll.sum().backward()

    def test_logits(self):
        self.assertLess(relative_l2(self.logits, self.expected_logits.detach()), 1e-5)

    def test_loss(self):
        nll = torch.tensor(self.step["nll"], dtype=torch.float64)
        self.assertLess(float((nll - self.expected_nll).abs().max()), 1e-5)
        self.assertEqual(int((nll == 0).sum()), 1)

    def test_every_gradient(self):
        self.assertEqual(len(self.gradients), 4 + 12 * self.step["layers"])
        for name, gradient in self.gradients.items():
            with self.subTest(name=name):
                self.assertLess(relative_l2(gradient, self.parameters[name].grad), 1e-4)


if __name__ == "__main__":
    unittest.main()
