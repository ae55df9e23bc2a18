"""Each protocol of `evaluate` against the program it is named after: lm-eval from PyPI, and the others recomputed with
transformers from their definition, on SmolLM2 and on a small GPT-2 with random weights. Numbers to 1e-5, tokens exactly.
"""
import json
import logging
import math
import re
import shutil
import types

import numpy
import torch
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

import parity

CONTEXT = 64  # so that small texts have windows enough


def documents():
    """Empty ones, one of a token, one of a context length, and texts in English, other scripts and code."""
    yield "a"
    yield ""
    yield "The quick brown fox jumps over the lazy dog. " * 6
    yield from (text[:3000] for _, text in parity.texts())
    yield ""
    yield "\n\nEnds in blank lines.\n\n"
    yield "zebras and zeros"  # so that no window is left with one token: the page's sum would be NaN


def random_gpt2(folder):
    """GPT-2's architecture with random weights large enough that contexts matter, beside SmolLM2's tokenizer."""
    torch.manual_seed(7)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(parity.tokenizer()), n_positions=96, n_embd=64, n_layer=2, n_head=4,
                                       initializer_range=0.15, bos_token_id=1, eos_token_id=2))
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(parity.SMOLLM2 / name, folder / name)
    return folder


def with_beginning(source, folder):
    """The same model, with a tokenizer whose template puts a beginning-of-text token before a text, as Llama's do."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    token = AutoTokenizer.from_pretrained(source).bos_token
    number = next(each["id"] for each in tokenizer["added_tokens"] if each["content"] == token)
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": token, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {token: {"id": token, "ids": [number], "tokens": [token]}}}
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
    return folder


class Peer:
    """A model as transformers runs it, and what others make of it."""

    def __init__(self, folder):
        self.folder = folder
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = parity.reference(folder)

    def nats(self, ids, scored):
        """-ln p of the last `scored` of ids, each given those before it."""
        logits = torch.from_numpy(parity.reference_logits(self.model, ids[:-1])).double()
        chosen = torch.log_softmax(logits, -1)[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
        return -chosen[len(ids) - 1 - scored:]

    def joined(self, **options):
        return self.tokenizer("\n\n".join(documents()), **options).input_ids

    def lm_eval(self):
        """Nats and tokens of every document, by lm-eval's own loglikelihood_rolling."""
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM
        logging.getLogger("lm_eval").setLevel(logging.ERROR)
        # In float32 its log_softmax alone is off by 1e-5 nats a token, which a word's perplexity multiplies.
        peer = HFLM(pretrained=self.model, tokenizer=self.tokenizer, max_length=CONTEXT, batch_size=1,
                    softmax_dtype="float64")
        texts = list(documents())
        tokens, score = 0, peer._loglikelihood_tokens

        def counted(requests, **options):
            nonlocal tokens
            tokens += sum(len(each[2]) for each in requests)
            return score(requests, **options)

        peer._loglikelihood_tokens = counted
        requests = [Instance("loglikelihood_rolling", {}, (text,), number) for number, text in enumerate(texts)
                    if peer.tok_encode(text)]  # lm-eval itself fails at a document without tokens
        nats = -math.fsum(peer.loglikelihood_rolling(requests, disable_tqdm=True))
        words = sum(len(re.split(r"\s+", text)) for text in texts)
        return {"word_perplexity": math.exp(nats / words),
                "byte_perplexity": math.exp(nats / sum(len(text.encode()) for text in texts)),
                "perplexity": math.exp(nats / tokens)}, tokens

    def llama_cpp(self):
        """tools/perplexity: chunks of n_ctx, second halves, their first token replaced, and its +/-."""
        ids = self.joined(split_special_tokens=True)
        begins = self.joined(add_special_tokens=True)[:1] == [self.tokenizer.bos_token_id]
        first, all_nats = CONTEXT // 2, []
        assert len(ids) >= 2 * CONTEXT
        for chunk in range(len(ids) // CONTEXT):
            part = list(ids[chunk * CONTEXT:(chunk + 1) * CONTEXT])
            if begins:
                part[0] = self.tokenizer.bos_token_id
            all_nats += self.nats(part, CONTEXT - 1 - first).tolist()
        nats = numpy.array(all_nats)
        perplexity = math.exp(nats.mean())
        error = math.sqrt(((nats ** 2).mean() - nats.mean() ** 2) / (len(nats) - 1))
        return {"PPL": perplexity, "PPL +/-": perplexity * error}, len(nats)

    def hf_stride(self, stride):
        """The page's loop, with its own loss; both ways of weighting."""
        ids = torch.tensor([self.joined()])
        end, before, tokens = ids.size(1), 0, 0
        page, page_labels, older = 0.0, 0, []
        for begin in range(0, end, stride):
            to = min(begin + CONTEXT, end)
            labels_of_window = to - before
            window = ids[:, begin:to]
            labels = window.clone()
            labels[:, :-labels_of_window] = -100
            with torch.no_grad():
                loss = self.model(window, labels=labels).loss.double()
            tokens += int((labels[:, 1:] != -100).sum())
            valid = int((labels != -100).sum()) - 1
            page, page_labels = page + loss * valid, page_labels + valid
            older.append(loss * labels_of_window)
            before = to
            if to == end:
                break
        return {"page": math.exp(page / page_labels), "older page": math.exp(sum(older) / to)}, tokens

    def gptq(self):
        """Windows of a context length, each by its mean."""
        ids = self.joined()
        windows = [self.nats(ids[i * CONTEXT:(i + 1) * CONTEXT], CONTEXT - 1) for i in range(len(ids) // CONTEXT)]
        return ({"perplexity": math.exp(sum(each.mean().item() * CONTEXT for each in windows) / (len(windows) * CONTEXT))},
                sum(len(each) for each in windows))


def packed(name, folder):
    """A data set of the documents, a line each, by the model's tokenizer."""
    lines, data = parity.WORK / f"{name}.jsonl", parity.WORK / f"{name} data"
    shutil.rmtree(data, ignore_errors=True)
    lines.write_text("".join(json.dumps({"text": text}) + "\n" for text in documents()), encoding="utf-8")
    parity.chainrule("pack", "--tokenizer", folder, "--input", lines, "--output", data)
    return data


def ours(name, folder, data, protocol, *more):
    report = parity.WORK / f"{name} report"
    shutil.rmtree(report, ignore_errors=True)
    parity.chainrule("evaluate", "--model", folder, "--data", data, "--report", report, "--context-length", CONTEXT,
                     "--protocol", protocol, *more)
    made = json.loads((report / "report.json").read_text())
    numbers = {each["name"]: each["perplexity"] for each in made["of_protocol"]["numbers"]}
    for each in made["of_protocol"]["numbers"]:
        if each["perplexity_error"] is not None:
            numbers[f"{each['name']} +/-"] = each["perplexity_error"]
    return types.SimpleNamespace(numbers=numbers, tokens=made["tokens_scored"])


def compare(name, folder):
    peer, data = Peer(folder), packed(name, folder)
    for protocol, more, (numbers, tokens) in (
            ("lm-eval", (), peer.lm_eval()), ("llama.cpp", (), peer.llama_cpp()), ("gptq", (), peer.gptq()),
            ("hf-stride", ("--stride", 16), peer.hf_stride(16)), ("hf-stride", ("--stride", 63), peer.hf_stride(63)),
            ("hf-stride", ("--stride", 64), peer.hf_stride(64))):
        made = ours(name, folder, data, protocol, *more)
        title = f"{name}: {protocol}{' '.join(map(str, ('', *more)))}"
        parity.row(f"{title}: {made.tokens} tokens scored, difference", abs(made.tokens - tokens), 0)
        if made.numbers.keys() != numbers.keys():
            raise SystemExit(f"{title}: {made.numbers} against {numbers}")
        for number, value in numbers.items():
            parity.row(f"{title}: {number} {made.numbers[number]:.5f}", abs(made.numbers[number] - value) / value, 1e-5)


def main():
    compare("SmolLM2", parity.SMOLLM2)
    gpt2 = random_gpt2(parity.WORK / "random-gpt2")
    compare("GPT-2", gpt2)
    compare("GPT-2 with template", with_beginning(gpt2, parity.WORK / "random-gpt2-template"))
    parity.finish()


if __name__ == "__main__":
    main()
