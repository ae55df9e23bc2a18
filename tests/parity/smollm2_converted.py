"""A Hugging Face folder that became our checkpoint and a Hugging Face folder again has the same bits, and transformers
reads it."""
import shutil

import numpy
from safetensors import safe_open

import parity


def tensors(folder):
    with safe_open(folder / "model.safetensors", "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def main():
    checkpoint, folder = parity.WORK / "checkpoint", parity.WORK / "returned"
    for made in (checkpoint, folder):
        shutil.rmtree(made, ignore_errors=True)
    parity.chainrule("convert", "--model", parity.SMOLLM2, "--output", checkpoint, "--format", "checkpoint")
    parity.chainrule("convert", "--model", checkpoint, "--output", folder, "--format", "hugging-face")
    before, after = tensors(parity.SMOLLM2), tensors(folder)
    names = before.keys() | after.keys()
    same = [name in before and name in after and before[name].dtype == after[name].dtype and
            numpy.array_equal(before[name].view(numpy.uint32), after[name].view(numpy.uint32)) for name in names]
    parity.row(f"SmolLM2: tensors of {len(names)} that convert does not bring back to the bit", len(names) - sum(same), 0)
    ids = parity.ids_of(next(parity.texts())[1])
    parity.row("SmolLM2: logits of transformers on the folder that came back",
               parity.distance(parity.reference_logits(parity.reference(folder), ids),
                               parity.reference_logits(parity.reference(parity.SMOLLM2), ids)), 0)
    parity.finish()


if __name__ == "__main__":
    main()
