"""Makes the file beside it with the real library: python3 -m venv V && V/bin/pip install gguf."""
import pathlib

import gguf
import numpy

HERE = pathlib.Path(__file__).resolve().parent
Types = gguf.GGMLQuantizationType
writer = gguf.GGUFWriter(HERE / "real.gguf", "llama")
writer.add_block_count(2)
writer.add_rope_freq_base(10000.5)
writer.add_add_bos_token(True)
writer.add_token_list(["a", "b\u00fc", "", "\u0120the"])
writer.add_token_types([1, 3, 1, 1])
writer.add_token_scores([0.5, -1.0, 2.0, 0.0])
writer.add_int64("test.i64", -7)
writer.add_float64("test.f64", 0.1)
writer.add_uint64("test.u64", 2**63)
writer.add_int8("test.i8", -3)
writer.add_array("test.none", [False])
values = numpy.linspace(-1, 1, 192, dtype=numpy.float32).reshape(3, 64)
writer.add_tensor("f32", values[:, :5].copy())
writer.add_tensor("f16", values[0, :3].astype(numpy.float16))
for name in ("Q8_0", "Q4_0", "Q4_1", "BF16"):
    kind = Types[name]
    writer.add_tensor(name.lower(), gguf.quants.quantize(values, kind), raw_dtype=kind)
writer.add_tensor("q6_k", numpy.zeros((2, 210), dtype=numpy.uint8), raw_dtype=Types.Q6_K)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
