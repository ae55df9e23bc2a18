"""The 64 likeliest tokens, one after the other, that transformers and `generate` continue a prompt with."""
import json

import torch

import parity

PROMPTS = ["The capital of France is", "def fibonacci(n):\n", "Once upon a time, in a small village by the sea,",
           "<|im_start|> is a token, but here it is text", "世界の", "1, 1, 2, 3, 5, 8, 13,"]


def main():
    model = parity.reference(parity.SMOLLM2)
    for prompt in PROMPTS:
        ids = parity.ids_of(prompt)
        made = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                              max_new_tokens=64, do_sample=False, eos_token_id=[0, 2], pad_token_id=0)
        theirs = made[0, len(ids):].tolist()
        for name, folder in (("folder", parity.SMOLLM2), ("GGUF", parity.SMOLLM2_GGUF)):
            answer = json.loads(parity.chainrule("generate", "--model", folder, "--prompt", prompt, "--max-tokens", 64,
                                                 "--temperature", 0, "--json"))
            ours = answer["token_ids"]
            different = sum(a != b for a, b in zip(ours, theirs)) + abs(len(ours) - len(theirs))
            parity.row(f"SmolLM2 ({name}): greedy tokens that differ of {len(theirs)}, {prompt[:14]!r}", different, 0)
    parity.finish()


if __name__ == "__main__":
    main()
