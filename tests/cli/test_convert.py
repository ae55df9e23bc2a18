"""`chainrule convert`: models there and back with the same bits; what formats cannot say; `inspect` of what was made."""
import json
import struct
import unittest

import h5py
import numpy

from program import chainrule
from refusals import Refusals, state_of
from text_model import TextModelTest

LLAMA = ["--model", "llama-110m", "--layers", 2, "--heads", 4, "--key-value-heads", 2, "--width", 32,
         "--feed-forward-width", 48]
SHAPES = {"llama": LLAMA, "mistral": [*LLAMA, "--attention-window", 9], "qwen3": [*LLAMA, "--query-key-norm"]}


def read_safetensors(path):
    data = path.read_bytes()
    size = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__")
    kinds = {"F32": "<f4", "BF16": "<u2"}
    return {name: numpy.frombuffer(data[8 + size:][slice(*each["data_offsets"])], kinds[each["dtype"]])
            .reshape(each["shape"]) for name, each in header.items()}


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [len(data), len(data) + tensor.nbytes]}
        data += tensor.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def nearest_bfloat16(values):
    """To nearest, ties to even, on integers."""
    bits = numpy.ascontiguousarray(values, "<f4").view("<u4").astype(numpy.uint64)
    low, high = bits & 0xFFFF, bits >> 16
    return (high + ((low > 0x8000) | ((low == 0x8000) & (high & 1 == 1)))).astype("<u2")


class Convert(Refusals, TextModelTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.models = {"gpt2": cls.checkpoint}
        for name, shape in SHAPES.items():
            run = cls.home / f"run {name}"
            cls.train(run, *shape)
            cls.models[name] = next((run / "checkpoints").iterdir())

    @classmethod
    def train(cls, run, *shape, check=0):
        return chainrule("pretrain", "--data", cls.home / "data", "--run", run, "--sequence-length", 32, "--micro-batch",
                         4, "--global-batch", 8, "--steps", 2, "--learning-rate", "1e-2", "--validate-every", 0, *shape,
                         check=check)

    def convert(self, model, format, name, *more, check=0):
        done = chainrule("convert", "--model", model, "--format", format, "--output", self.folder / name, *more,
                         check=check)
        return self.folder / name if check == 0 else done

    def refuse(self, model, format, code, *said, more=(), name="refused"):
        before = state_of(self.folder)
        self.assert_refused(self.convert(model, format, name, *more, check=code), code, *said)
        self.assertEqual(state_of(self.folder), before)

    def numbers(self, model):
        """What evaluate reports, but for where the model lies and how far it was trained."""
        report = self.folder / f"report {len(list(self.folder.iterdir()))}"
        chainrule("evaluate", "--model", model, "--data", self.home / "data", "--report", report, "--context-length", 32,
                  check=0)
        numbers = json.loads((report / "report.json").read_text())
        return {name: value for name, value in numbers.items() if name not in ("weights_hash", "step", "model")}

    def hash_of(self, checkpoint):
        return json.loads((checkpoint / "model.json").read_text())["weights_hash"]

    def test_to_hugging_face_and_back(self):
        for name, checkpoint in self.models.items():
            with self.subTest(name):
                folder = self.convert(checkpoint, "hugging-face", f"hf {name}")
                self.assertEqual(json.loads((folder / "config.json").read_text())["model_type"], name)
                back = self.convert(folder, "checkpoint", f"back {name}")
                self.assertEqual(self.hash_of(back), self.hash_of(checkpoint))
                numbers = self.numbers(checkpoint)
                self.assertEqual(self.numbers(back), numbers)
                self.assertAlmostEqual(self.numbers(folder)["nll_nats"], numbers["nll_nats"],
                                       delta=1e-6 * numbers["nll_nats"])
                again = self.convert(folder, "hugging-face", f"again {name}")
                self.assertEqual(state_of(again), state_of(folder))

    def test_to_llmc_and_back(self):
        file = self.convert(self.checkpoint, "llm.c", "deep/er/model.bin")
        back = self.convert(file, "checkpoint", "back")
        self.assertEqual(self.hash_of(back), self.hash_of(self.checkpoint))
        self.assertEqual(self.numbers(back), self.numbers(self.checkpoint))
        header = struct.unpack_from("<8i", file.read_bytes())
        self.assertEqual(header[:3] + header[3:4] + header[7:], (20240326, 3, 64, 300, 384))
        self.convert(self.checkpoint, "llm.c", "deep/er/second.bin")  # beside the same tokenizer

    def test_tensors_and_rounding(self):
        ours = h5py.File(self.checkpoint / "model.h5")
        ours = {name: ours[name][...] for name in ours}
        f32 = read_safetensors(self.convert(self.checkpoint, "hugging-face", "f32") / "model.safetensors")
        expected = {"transformer.wte.weight": ours["token_embedding.weight"],
                    "transformer.h.1.attn.c_attn.weight": ours["layers.1.attention.query_key_value.weight"].T,
                    "transformer.h.0.mlp.c_proj.bias": ours["layers.0.feed_forward.down.bias"]}
        bf16 = read_safetensors(
            self.convert(self.checkpoint, "hugging-face", "bf16", "--encoding", "bf16") / "model.safetensors")
        self.assertEqual(f32.keys(), bf16.keys())
        for name, tensor in expected.items():
            numpy.testing.assert_array_equal(f32[name].view("<u4"), numpy.ascontiguousarray(tensor).view("<u4"))
        for name, tensor in f32.items():
            numpy.testing.assert_array_equal(bf16[name], nearest_bfloat16(tensor), name)
        self.assertEqual(json.loads((self.folder / "bf16" / "config.json").read_text())["torch_dtype"], "bfloat16")

    def test_bfloat16_there_and_back(self):
        first = self.convert(self.models["qwen3"], "hugging-face", "bf16", "--encoding", "bf16")
        checkpoint = self.convert(first, "checkpoint", "checkpoint")
        self.assertNotEqual(self.hash_of(checkpoint), self.hash_of(self.models["qwen3"]))
        second = self.convert(checkpoint, "hugging-face", "second", "--encoding", "bf16")
        self.assertEqual(state_of(first), state_of(second))

    def test_rows_behind_the_tokenizer(self):
        folder = self.convert(self.models["llama"], "hugging-face", "wide")
        tensors = read_safetensors(folder / "model.safetensors")
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            if name in tensors:
                tensors[name] = numpy.concatenate([tensors[name], tensors[name][:20]])
        write_safetensors(folder / "model.safetensors", tensors)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 320}))
        checkpoint = self.convert(folder, "checkpoint", "wide checkpoint")
        self.assertEqual(self.numbers(checkpoint), self.numbers(folder))
        for command in (["score", "--text", "the cat"], ["next", "--text", "the cat"],
                        ["generate", "--prompt", "the cat", "--max-tokens", 5]):
            chainrule(command[0], "--model", checkpoint, *command[1:], check=0)

    def test_refusals(self):
        for shape, field in ((["--logit-soft-cap", 5], "logit_soft_cap"),
                             (["--activation", "relu_squared"], "activation")):
            for base, type in (([], "gpt2"), (LLAMA, "llama")):
                run = self.home / f"run {field} {type}"
                self.train(run, *(base or ["--model", "tiny"]), *shape)
                self.refuse(run, "hugging-face", 65, field)
                self.refuse(run, "llm.c", 65, (field, "normalization"))
        self.train(self.home / "run gpt2 norm", "--model", "tiny", "--query-key-norm")
        self.refuse(self.home / "run gpt2 norm", "hugging-face", 65, "query_key_norm")
        self.refuse(self.models["llama"], "llm.c", 65, "normalization of \"rms_norm\"")
        self.refuse(self.checkpoint, "onnx", 64, "--format 'onnx'")
        self.refuse(self.checkpoint, "llm.c", 64, "--encoding 'f16'", more=["--encoding", "f16"])
        self.refuse(self.checkpoint, "checkpoint", 64, "f32", more=["--encoding", "bf16"])
        self.refuse(self.folder / "nothing", "checkpoint", 66, "no model at")
        (self.folder / "there").mkdir()
        (self.folder / "there" / "file").write_text("mine")
        for model in (self.checkpoint, self.folder / "nothing"):  # seen before the model is read
            self.refuse(model, "hugging-face", 73, "is there already", name="there")
            self.refuse(model, "checkpoint", 73, "is there already", name="there")
            self.refuse(model, "llm.c", 73, "there", name="there/file")
        chainrule("tokenizer", "train", "--input", self.home / "text", "--vocabulary-size", 290,
                  "--output", self.folder / "there" / "tokenizer.json", check=0)
        self.refuse(self.checkpoint, "llm.c", 73, "is not the model's tokenizer", name="there/model.bin")

    def test_inspect(self):
        folder = self.convert(self.models["qwen3"], "hugging-face", "hf", "--encoding", "bf16")
        file = self.convert(self.checkpoint, "llm.c", "model.bin")

        def inspect(path):
            return json.loads(chainrule("inspect", path, "--json", check=0).out)

        ours = inspect(self.models["qwen3"])
        theirs = inspect(folder)
        self.assertEqual(theirs["kind"], "Hugging Face model")
        for field in ("parameters", "layers", "heads", "key_value_heads", "width", "vocabulary_size", "sequence_length",
                      "normalization", "rotary", "query_key_norm", "tokenizer_fingerprint"):
            self.assertEqual(theirs[field], ours[field], field)
        self.assertEqual(theirs["encodings"], [{"encoding": "bf16", "tensors": len(read_safetensors(
            folder / "model.safetensors")), "bytes": 2 * theirs["parameters"]}])
        other = inspect(file)
        self.assertEqual((other["kind"], other["encodings"][0]["bytes"]), ("llm.c model", 4 * other["parameters"]))
        self.assertIn("no checksums", chainrule("inspect", folder, check=0).out)
        self.assertIn("every checksum verified", chainrule("inspect", self.checkpoint, check=0).out)
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-1])
        self.assert_refused(chainrule("inspect", folder), 65, "model.safetensors")

    def test_a_head_that_differs_from_its_embedding_is_refused(self):
        folder = self.convert(self.models["gpt2"], "hugging-face", "hf")
        tensors = read_safetensors(folder / "model.safetensors")
        tensors["lm_head.weight"] = tensors["transformer.wte.weight"]
        write_safetensors(folder / "model.safetensors", tensors)
        self.convert(folder, "checkpoint", "the same head")
        tensors["lm_head.weight"] = tensors["transformer.wte.weight"] + 1
        write_safetensors(folder / "model.safetensors", tensors)
        self.refuse(folder, "checkpoint", 65, "'lm_head.weight' differs")
        tensors.pop("lm_head.weight")
        write_safetensors(folder / "model.safetensors", {**tensors, "adapter": tensors["transformer.wte.weight"]})
        self.refuse(folder, "checkpoint", 65, "'adapter' has no place")


if __name__ == "__main__":
    unittest.main()
