"""Ranks that see different text, tokenizers, prompts or words of the command line: one refusal, nothing written."""
import json
import shutil
import unittest

from evaluation import EvaluationTest
from packing import TOKENIZER, PackTest, write_corpus
from program import chainrule
from refusals import Refusals, copied
from text_model import TextModelTest
from views import in_views


class PackViews(Refusals, PackTest):
    def setUp(self):
        super().setUp()
        self.views = [self.folder / "one", self.folder / "two"]
        for view in self.views:
            view.mkdir()
            write_corpus(view / "corpus", lines=40)
            copied(TOKENIZER, view / "tokenizer")

    def pack_views(self, *more, **options):
        return in_views(options.pop("views", self.views), "pack", "--tokenizer", "tokenizer", "--input", "corpus",
                        "--output", self.folder / "data", *more, **options)

    def refused(self, codes, *said, words=(), views=None):
        self.assert_refused(self.pack_views(*words, views=views or self.views), codes, *said)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["one", "two"])

    def test_same_views_are_one_data_set(self):
        self.pack_views(check=0)
        chainrule("inspect", self.folder / "data", check=0)

    def test_other_tokenizer_on_one_rank(self):
        merges = self.views[1] / "tokenizer/merges.txt"
        lines = merges.read_text().splitlines()
        merges.write_text("\n".join(lines[:len(lines) // 2]) + "\n")
        self.refused(65, "tokenizer")
        self.refused(65, "tokenizer", views=self.views[::-1])

    def test_other_tokens_around_a_text_on_one_rank(self):
        (self.views[1] / "tokenizer/tokenizer_config.json").write_text('{"add_bos_token": true}')
        self.refused(65, "tokenizer")

    def test_text_of_another_size_on_one_rank(self):
        for path in sorted((self.views[1] / "corpus").rglob("*")):
            if path.is_file():
                path.write_bytes(path.read_bytes().replace(b"alpha", b"a"))
        self.refused((65, 66, 74), "corpus")

    def test_lines_appended_on_one_rank(self):
        with open(self.views[1] / "corpus/a.jsonl", "a") as file:
            file.write('\n{"text": "more"}\n')
        self.refused((65, 66, 74), "corpus")

    def test_files_missing_or_added_on_one_rank(self):
        (self.views[1] / "corpus/notes.txt").rename(self.views[1] / "corpus/other.txt")
        self.refused((65, 66), "corpus")
        shutil.rmtree(self.views[1] / "corpus")
        self.refused((65, 66), "corpus")

    def test_other_options_on_one_rank(self):
        for option, words in (("--held-out", ["0.1", "0.2"]), ("--shard-tokens", ["1000", "2000"]),
                              ("--deflate", ["0", "3"]), ("--text-field", ["text", "body"])):
            with self.subTest(option=option):
                try:
                    self.refused(64, option, words=(option, words))
                finally:
                    for left in set(self.folder.iterdir()) - set(self.views):
                        shutil.rmtree(left)

    def test_two_sets_on_one_rank_only(self):
        self.refused(64, "--held-out", words=(["--held-out=0.1", "--deflate=0"],))

    def test_other_domains_on_one_rank(self):
        self.refused(64, "--domain", words=("--domain", ["a=corpus/code", "b=corpus/code"]))


class ModelViews(Refusals, TextModelTest):
    """Two folders for two ranks, each with a model."""

    def setUp(self):
        super().setUp()
        self.views = [self.folder / "one", self.folder / "two"]
        for view in self.views:
            view.mkdir()
            (view / "prompts.jsonl").write_text("".join(json.dumps({"prompt": word}) + "\n"
                                                        for word in ("a", "the", "my", "a dog")))
            copied(self.checkpoint, view / "model")

    def generate(self, *more, prompts=("--prompts", "prompts.jsonl"), **options):
        return in_views(self.views, "generate", "--model", "model", *prompts, "--max-tokens", "3", "--batch", 1, *more,
                        **options)

    def refused(self, codes, *said, words=(), **options):
        done = self.assert_refused(self.generate(*words, **options), codes, *said)
        self.assertEqual(done.out, "")


class GenerateViews(ModelViews):
    def test_same_views(self):
        self.assertEqual(len(self.generate(check=0).out.splitlines()), 4)

    def test_other_prompts_on_one_rank(self):
        """Rank 0's prompts are everybody's: nothing of rank 1's is read, and the answers are those of one rank."""
        alone = self.generate(check=0).out
        (self.views[1] / "prompts.jsonl").write_text('{"prompt": "nothing"}\n')
        self.assertEqual(self.generate(check=0).out, alone)

    def test_other_weights_on_one_rank(self):
        shutil.rmtree(self.views[1] / "model")
        copied(self.run_directory / "checkpoints/step-00000030", self.views[1] / "model")
        self.refused(65, "model")

    def test_other_tokenizer_on_one_rank(self):
        path = self.views[1] / "model/tokenizer.json"
        path.write_text(path.read_text() + " ")
        self.refused(65, "tokenizer.json", "rank 1")

    def test_other_options_on_one_rank(self):
        for option, words in (("--seed", ["1", "2"]), ("--samples", ["1", "3"]), ("--temperature", ["0", "1"]),
                              ("--top-k", ["0", "1"]), ("--stop", ["a", "b"])):
            with self.subTest(option=option):
                self.refused(64, option, words=(option, words))

    def test_one_prompt_on_one_rank_and_many_on_the_other(self):
        for words in (["--prompt=a", "--prompts=prompts.jsonl"], ["--prompts=prompts.jsonl", "--prompt=a"]):
            self.assertNotEqual(self.generate(prompts=(words,)).returncode, 0)


class OtherSystemsModelViews(ModelViews):
    """A Hugging Face folder, whose weights alone do not say what they compute."""

    def setUp(self):
        super().setUp()
        for view in self.views:
            chainrule("convert", "--model", view / "model", "--output", view / "hf", "--format", "hugging-face", check=0)
            (view / "model").rename(view / "checkpoint")
            (view / "hf").rename(view / "model")

    def change(self, name, **fields):
        path = self.views[1] / "model" / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    def test_same_views(self):
        self.assertEqual(len(self.generate(check=0).out.splitlines()), 4)

    def test_other_configuration_on_one_rank(self):
        self.change("config.json", layer_norm_epsilon=0.1)
        self.refused(65, "configuration", "rank 1")

    def test_other_tokens_behind_a_text_on_one_rank(self):
        end = "<|endoftext|>"
        token = json.loads((self.views[1] / "model/tokenizer_config.json").read_text())["eos_token"]
        self.assertEqual(token, end)
        text, behind = ({"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": end, "type_id": 0}})
        ids = json.loads((self.views[1] / "model/tokenizer.json").read_text())
        id_of = next(each["id"] for each in ids["added_tokens"] if each["content"] == end)
        self.change("tokenizer.json", post_processor={
            "type": "TemplateProcessing", "single": [text, behind], "pair": [text, behind],
            "special_tokens": {end: {"id": end, "ids": [id_of], "tokens": [end]}}})
        self.refused(65, "the tokenizer of")

    def test_other_start_token_on_one_rank(self):
        self.change("tokenizer_config.json", bos_token="a")
        self.refused(65, "start token", "rank 1")


class BenchmarkViews(Refusals, EvaluationTest):
    def test_other_options_on_one_rank(self):
        views = [self.folder / "one", self.folder / "two"]
        for view in views:
            view.mkdir()
        small = ["--model", "tiny", "--vocabulary-size", 300, "--sequence-length", 16]
        for option, words in (("--rounds", ["1", "2"]), ("--micro-batch", ["1", "2"])):
            with self.subTest(option=option):
                self.assert_refused(in_views(views, "benchmark", *small, option, words), 64, option)


if __name__ == "__main__":
    unittest.main()
