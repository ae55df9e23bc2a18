"""Logits of a real model: the Hugging Face folder against transformers, the GGUF file against the folder."""
import parity


def main():
    model = parity.reference(parity.SMOLLM2)
    for name, text in parity.texts():
        ids = parity.ids_of(text)[:2048]
        ours = parity.logits_of(parity.SMOLLM2, ids)
        parity.row(f"SmolLM2: logits of transformers, {name}, {len(ids)} tokens",
                   parity.distance(ours, parity.reference_logits(model, ids)), 1e-5)
        parity.row(f"SmolLM2: logits of the Q4_1 GGUF against its float32 copy, {name}",
                   parity.distance(parity.logits_of(parity.SMOLLM2_GGUF, ids), ours), 1e-5)
    parity.finish()


if __name__ == "__main__":
    main()
