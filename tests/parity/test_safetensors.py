"""Our reader of safetensors against the `safetensors` package: every tensor's bytes, whole and in shards, and the same
verdict on damaged headers wherever the package refuses.

Needs packages safetensors, numpy, ml_dtypes and xxhash, and CHAINRULE_DUMP_TENSORS: the built dump_tensors.
"""
import json
import os
import pathlib
import random
import struct
import subprocess
import tempfile
import unittest

import ml_dtypes
import numpy
import xxhash
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save_file

ENCODINGS = {"float32": "f32", "float16": "f16", "bfloat16": "bf16"}


def run(path):
    return subprocess.run([os.environ["CHAINRULE_DUMP_TENSORS"], path], capture_output=True)


def made(seed):
    rng = numpy.random.default_rng(seed)
    types = (numpy.float32, numpy.float16, ml_dtypes.bfloat16, numpy.int64, numpy.bool_, numpy.uint8)
    tensors = {}
    for i in range(12):
        shape = tuple(int(extent) for extent in rng.integers(0, 9, size=rng.integers(0, 4)))
        tensors[f"layers.{i}.w\u00fc"] = numpy.asarray(rng.normal(size=shape)).astype(types[i % len(types)])
    return tensors


class Safetensors(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def compare(self, path, tensors):
        done = run(path)
        self.assertEqual(done.returncode, 0, done.stderr)
        ours = json.loads(done.stdout)["tensors"]
        self.assertEqual(sorted(ours), sorted(tensors))
        for name, tensor in tensors.items():
            if tensor.dtype.name not in ENCODINGS:
                self.assertIn("which is not read", ours[name]["refused"])
                continue
            self.assertEqual(ours[name]["encoding"], ENCODINGS[tensor.dtype.name])
            self.assertEqual(ours[name]["shape"], list(tensor.shape))
            self.assertEqual(ours[name]["xxh3_128"], xxhash.xxh3_128(tensor.tobytes()).hexdigest())

    def test_what_the_package_writes_is_the_same(self):
        for seed in range(20):
            tensors = made(seed)
            save_file(tensors, self.folder / "model.safetensors", metadata={"format": "pt"})
            self.compare(self.folder, tensors)

    def test_shards_are_the_same(self):
        tensors = made(7)
        names = list(tensors)
        parts = {"model-00001-of-00002.safetensors": names[:5], "model-00002-of-00002.safetensors": names[5:]}
        for file, part in parts.items():
            save_file({name: tensors[name] for name in part}, self.folder / file)
        index = {"metadata": {}, "weight_map": {name: file for file, part in parts.items() for name in part}}
        (self.folder / "model.safetensors.index.json").write_text(json.dumps(index))
        self.compare(self.folder, tensors)

    def test_what_the_package_refuses_is_refused(self):
        rng = random.Random(3)
        save_file(made(1), self.folder / "model.safetensors", metadata={"format": "pt"})
        whole = (self.folder / "model.safetensors").read_bytes()
        header = 8 + struct.unpack("<Q", whole[:8])[0]
        refused = 0
        for _ in range(400):
            damaged = bytearray(whole)
            for _ in range(rng.randint(1, 3)):
                damaged[rng.randrange(header)] = rng.choice(b'{}[]",:0123456789 \x00\xffF')
            if rng.random() < 0.1:
                del damaged[rng.randrange(len(damaged)):]
            try:
                deserialize(bytes(damaged))
            except (SafetensorError, UnicodeDecodeError):
                refused += 1
                (self.folder / "damaged.safetensors").write_bytes(damaged)
                self.assertEqual(run(self.folder / "damaged.safetensors").returncode, 65, bytes(damaged[:header]))
        self.assertGreater(refused, 200)


if __name__ == "__main__":
    unittest.main()
