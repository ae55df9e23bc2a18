"""One training step of the production decoder, recomputed with PyTorch in float64 from the formulas of GPT-2, Llama
and their relatives."""

import json
import os
import pathlib
import subprocess
import tempfile
import types
import unittest

import numpy
import torch
from torch.nn import functional


def angles_of(step, length):
    """Rotary angles [length, head width / 2], from the papers' formulas."""
    width = step["head_width"]
    return torch.arange(length)[:, None] * step["theta"] ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)


def turned(x, angles):
    """x [B, heads, T, head width], its halves turned together."""
    a, b = x.chunk(2, dim=3)
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], dim=3)


def logits_of(step, parameters, inputs):
    """inputs [B,T] -> logits [B,T,V]."""
    heads, key_heads, head_width = step["heads"], step["key_value_heads"], step["head_width"]

    def rms_norm(x, gain):
        return x * (x.square().mean(-1, keepdim=True) + step["epsilon"]).rsqrt() * gain

    def norm(x, name):
        if step["rms_norm"]:
            return rms_norm(x, parameters[name + ".weight"])
        bias = parameters.get(name + ".bias")
        return functional.layer_norm(x, x.shape[-1:], parameters[name + ".weight"], bias, step["epsilon"])

    def linear(x, name):
        return functional.linear(x, parameters[name + ".weight"], parameters.get(name + ".bias"))

    def feed_forward(x, at):
        if step["activation"] == "swiglu":
            gate, up = linear(x, at + "feed_forward.gate_up").chunk(2, dim=2)
            return functional.silu(gate) * up
        up = linear(x, at + "feed_forward.up")
        if step["activation"] == "relu_squared":
            return functional.relu(up).square()
        return functional.gelu(up, approximate="tanh")

    def attention(projected, at):
        widths = [heads * head_width, key_heads * head_width, key_heads * head_width]
        query, key, value = (
            part.view(texts, length, -1, head_width).transpose(1, 2) for part in projected.split(widths, dim=2)
        )
        if step["query_key_norm"]:
            gains = parameters[at + "attention.query_key_norm.weight"].view(2, head_width)
            query, key = rms_norm(query, gains[0]), rms_norm(key, gains[1])
        if step["rotary"]:
            query, key = turned(query, angles_of(step, length)), turned(key, angles_of(step, length))
        key, value = (part.repeat_interleave(heads // key_heads, dim=1) for part in (key, value))
        scores = query @ key.transpose(2, 3) / head_width**0.5
        mixed = scores.masked_fill(unseen, float("-inf")).softmax(dim=3) @ value
        return mixed.transpose(1, 2).reshape(texts, length, heads * head_width)

    texts, length = inputs.shape
    x = parameters["token_embedding.weight"][inputs]
    if not step["rotary"]:
        x = x + parameters["position_embedding.weight"][:length]
    ones = torch.ones(length, length, dtype=torch.bool)
    unseen = ones.triu(1)
    if step["attention_window"]:
        unseen = unseen | ones.tril(-step["attention_window"])
    for layer in range(step["layers"]):
        at = f"layers.{layer}."
        projected = linear(norm(x, at + "attention_norm"), at + "attention.query_key_value")
        x = x + linear(attention(projected, at), at + "attention.output")
        x = x + linear(feed_forward(norm(x, at + "feed_forward_norm"), at), at + "feed_forward.down")
    logits = linear(norm(x, "final_norm"), "token_embedding" if step["tied_head"] else "head")
    cap = step["logit_soft_cap"]
    return cap * torch.tanh(logits / cap) if cap else logits


def relative_l2(actual, expected):
    return float((actual - expected).norm() / expected.norm())


def read_step(folder):
    """What dump_training_step wrote of one model, and the same recomputed."""
    step = json.loads((folder / "step.json").read_text())
    numbers = numpy.fromfile(folder / "step.f32", dtype="<f4").astype(numpy.float64)
    size = step["arena_size"]
    arena, gradients, logits = numpy.split(numbers, [size, 2 * size])

    def tensors(values):
        named = {}
        for entry in step["parameters"]:
            count = int(numpy.prod(entry["shape"]))
            flat = values[entry["offset"] : entry["offset"] + count]
            named[entry["name"]] = torch.tensor(flat).reshape(entry["shape"])
        return named

    parameters = {name: tensor.requires_grad_() for name, tensor in tensors(arena).items()}
    inputs, targets = torch.tensor(step["inputs"]), torch.tensor(step["targets"])
    expected_logits = logits_of(step, parameters, inputs)
    expected_nll = functional.cross_entropy(
        expected_logits.flatten(0, 1), targets.flatten(), ignore_index=-1, reduction="none"
    )
    squared_log_z = expected_logits.flatten(0, 1).logsumexp(1).square()[targets.flatten() >= 0]
    (expected_nll.sum() + step["z_loss"] * squared_log_z.sum()).backward()
    return types.SimpleNamespace(
        nll=torch.tensor(step["nll"], dtype=torch.float64),
        logits=torch.tensor(logits).reshape(expected_logits.shape),
        gradients=tensors(gradients),
        expected_nll=expected_nll.detach(),
        expected_logits=expected_logits.detach(),
        expected_gradients={name: tensor.grad for name, tensor in parameters.items()},
    )


class TorchReference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([os.environ["CHAINRULE_DUMP_TRAINING_STEP"], folder], check=True)
            cls.steps = {each.name: read_step(each) for each in sorted(pathlib.Path(folder).iterdir())}

    def each(self):
        for name, step in self.steps.items():
            with self.subTest(model=name):
                yield step

    def test_every_family_is_there(self):
        self.assertEqual(len(self.steps), 17)

    def test_logits(self):
        for step in self.each():
            self.assertLess(relative_l2(step.logits, step.expected_logits), 1e-5)

    def test_loss(self):
        for step in self.each():
            self.assertLess(float((step.nll - step.expected_nll).abs().max()), 1e-5)
            self.assertEqual(int((step.nll == 0).sum()), 1)

    def test_every_gradient(self):
        for step in self.each():
            self.assertGreater(len(step.gradients), 10)
            for name, gradient in step.gradients.items():
                with self.subTest(parameter=name):
                    self.assertLess(relative_l2(gradient, step.expected_gradients[name]), 1e-4)


if __name__ == "__main__":
    unittest.main()
