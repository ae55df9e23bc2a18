"""Makes the files beside it with the real library: python3 -m venv V && V/bin/pip install safetensors numpy ml_dtypes."""
import pathlib

import ml_dtypes
import numpy
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).resolve().parent
tensors = {
    "matrix": numpy.arange(12, dtype=numpy.float32).reshape(4, 3) / 4,
    "half": numpy.arange(6, dtype=numpy.float16).reshape(2, 3) - 2,
    "rounded": (numpy.arange(5, dtype=numpy.float32) / 3).astype(ml_dtypes.bfloat16),
    "mask": numpy.tri(3, dtype=bool),
    "ids": numpy.arange(3, dtype=numpy.int64) - 1,
    "none": numpy.zeros((0, 7), dtype=numpy.float32),
    "scalar": numpy.array(2.5, dtype=numpy.float32),
    "b\u00fc \"quoted\"": numpy.ones(1, dtype=numpy.float32),
}
save_file(tensors, HERE / "real.safetensors", metadata={"format": "pt", "note": "\u00fc"})
