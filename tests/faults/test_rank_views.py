"""Ranks that see different files under the same names: one refusal, before any of them is believed."""
import json
import os
import shutil
import unittest

import h5py

from checksums import seal_data_set
from evaluation import EvaluationTest
from pretraining import PretrainTest, flip_bit
from program import chainrule
from refusals import Refusals, copied, state_of
from views import in_views


def reverse_tokens(data):
    """Another data set of the same shape."""
    for shard in sorted(data.glob("shard-*.h5")):
        with h5py.File(shard, "r+") as file:
            tokens = file["tokens"][:]
            if len(tokens) > 1:
                tokens[:-1] = tokens[:-1][::-1]
                file["tokens"][:] = tokens
    seal_data_set(data)


class TwoViews(Refusals):
    """Added to a test with a folder: `views`, two folders for two ranks."""

    def make_views(self):
        self.views = [self.folder / "one", self.folder / "two"]
        for view in self.views:
            view.mkdir()

    def put(self, source, name):
        """The same in both views; returns both."""
        return [copied(source, view / name) for view in self.views]


class PretrainViews(TwoViews, PretrainTest):
    def setUp(self):
        super().setUp()
        self.make_views()

    def refused(self, codes, *said, views=None, options=None, timeout=12, **more):
        """No step is taken, and a run that is there stays as it is."""
        before = state_of(self.run_folder)
        done = in_views(views or self.views, *(options or self.options(data="pair", **more)), timeout=timeout)
        self.assert_refused(done, codes, *said)
        self.assertNotIn("step 1/", done.err)
        after = state_of(self.run_folder)
        self.assertEqual({name: after.get(name) for name in before if name != "lock"},
                         {name: content for name, content in before.items() if name != "lock"})
        return done

    def options(self, *more, data="pair", **changes):  # relative: each rank its own
        words = super().options(*more, data=data, **changes)
        words[words.index("--data") + 1] = data
        return words

    def test_same_views_are_one_run(self):
        self.put(self.fixture / "pair", "pair")
        in_views(self.views, *self.options(), check=0)
        self.assertEqual(self.checkpoints(), ["step-00000004", "step-00000006"])

    def test_a_source_of_a_mix_differs(self):
        self.put(self.fixture / "pair", "pair")
        extra = self.put(self.fixture / "extra", "extra")
        options = self.options()
        at = options.index("--data")
        options[at:at + 2] = ["--mix", "web=pair:1", "z=extra:1"]
        in_views(self.views, *options, check=0)
        for part, said in (("train", "the training data of 'extra'"), ("held-out", "the validation data of 'extra'")):
            shutil.rmtree(self.run_folder, ignore_errors=True)
            kept = copied(extra[1] / part, self.folder / part)
            reverse_tokens(extra[1] / part)
            self.refused(65, said, options=options)
            shutil.rmtree(extra[1] / part)
            copied(kept, extra[1] / part)

    def test_validation_set_missing_on_one_rank(self):
        pairs = self.put(self.fixture / "pair", "pair")
        shutil.rmtree(pairs[1] / "held-out")
        for views in (self.views, self.views[::-1]):
            self.refused((65, 66), ("held-out", "validation"), views=views)

    def test_validation_set_empty_on_one_rank(self):
        pairs = self.put(self.fixture / "pair", "pair")
        index = json.loads((pairs[1] / "held-out/index.json").read_text())
        index.update(token_count=0, document_count=0, domains=[], shards=[])
        (pairs[1] / "held-out/index.json").write_text(json.dumps(index))
        seal_data_set(pairs[1] / "held-out")
        self.refused(65, ("held-out", "validation"))

    def test_other_validation_set_on_one_rank(self):
        reverse_tokens(self.put(self.fixture / "pair", "pair")[1] / "held-out")
        self.refused(65, ("held-out", "validation"))

    def test_other_training_set_on_one_rank(self):
        reverse_tokens(self.put(self.fixture / "pair", "pair")[1] / "train")
        self.refused(65, "pair")

    def test_a_pair_and_a_single_set(self):
        copied(self.fixture / "pair", self.views[0] / "pair")
        copied(self.fixture / "pair/train", self.views[1] / "pair")
        self.refused((65, 66), ("pair", "validation"))

    def test_other_vocabulary_on_one_rank(self):
        copied(self.fixture / "pair/train", self.views[0] / "pair")
        copied(self.fixture / "other", self.views[1] / "pair")
        self.refused(65, "pair")

    def test_no_data_on_one_rank(self):
        copied(self.fixture / "pair", self.views[0] / "pair")
        self.refused(66, "pair", "rank 1")

    def test_dry_run_on_one_rank_only(self):
        self.put(self.fixture / "pair", "pair")
        self.refused(64, "dry-run", options=[*self.options(), ["--dry-run", "--recompute=none"]])
        self.refused(64, "dry-run", options=[*self.options(), ["--recompute=none", "--dry-run"]])

    def test_other_options_on_one_rank(self):
        self.put(self.fixture / "pair", "pair")
        for option, words in (("--seed", ["1", "2"]), ("--validate-every", ["0", "1"]), ("--threads", ["1", "2"])):
            self.refused(64, "options", option, options=[*self.options(), option, words])

    def test_other_threads_on_one_rank(self):
        environments = [{"OMP_NUM_THREADS": str(threads)} for threads in (3, 2)]
        self.put(self.fixture / "pair", "pair")
        done = in_views(self.views, *self.options(), env=environments, check=0)
        self.assertIn("ranks have 2 to 3 threads, by their cores or OMP_NUM_THREADS; all use 2", done.err)

    def test_other_configuration_files(self):
        self.put(self.fixture / "pair", "pair")
        for rank, view in enumerate(self.views):
            (view / "options.cfg").write_text(f"seed = {rank}\n")
        self.refused(64, "options", "seed", options=[*self.options(), "--config", "options.cfg"])
        (self.views[1] / "options.cfg").unlink()
        self.refused(66, "options.cfg", options=[*self.options(), "--config", "options.cfg"])

    def test_run_directories_that_are_not_shared(self):
        self.put(self.fixture / "pair", "pair")
        self.refused((64, 66, 73), "run", options=self.options(run="run"))
        self.assertFalse((self.views[1] / "run").exists())

    def test_unshared_run_directory_with_an_older_run(self):
        self.put(self.fixture / "pair", "pair")
        for view, seed in zip(self.views, (1, 2)):
            chainrule(*self.options("--seed", seed, data=self.fixture / "pair", run=view / "run", steps=4), check=0)
            (view / "run/config.cfg").write_text((view / "run/config.cfg").read_text()
                                                 .replace("seed = 2", "seed = 1").replace("steps = 4", "steps = 6"))
        before = state_of(self.views[1])
        self.refused((64, 65, 66, 73), "run", options=self.options("--seed", 1, run="run"))
        self.assertEqual(state_of(self.views[1]), before)

    def test_another_step_in_the_state_of_one_rank(self):
        """A finished run on one rank only: it would leave while the others train."""
        self.put(self.fixture / "pair", "pair")
        for view, steps in zip(self.views, (4, 6)):
            chainrule(*self.options(data=self.fixture / "pair", run=view / "run", steps=steps), check=0)
        shutil.rmtree(self.views[1] / "run/checkpoints/step-00000004")
        os.rename(self.views[1] / "run/checkpoints/step-00000006", self.views[1] / "run/checkpoints/step-00000004")
        (self.views[0] / "run/config.cfg").write_text((self.views[1] / "run/config.cfg").read_text())
        self.refused((64, 65, 66, 73), "run", options=self.options(run="run"))

    def test_newest_checkpoint_damaged_on_one_rank(self):
        self.put(self.fixture / "pair", "pair")
        self.train(data=self.fixture / "pair", ranks=2, steps=4)
        (self.run_folder / "config.cfg").write_text((self.run_folder / "config.cfg").read_text()
                                                    .replace("steps = 4", "steps = 6"))
        for view in self.views:
            copied(self.run_folder, view / "run")
        flip_bit(self.views[1] / "run/checkpoints/step-00000004/optimizer-00001.h5")
        self.refused((64, 65, 66, 73), ("optimizer-00001.h5", "run"), options=self.options(run="run"))


class EvaluateViews(TwoViews, EvaluationTest):
    def setUp(self):
        super().setUp()
        self.make_views()
        self.models = self.put(self.fixture / "model", "model")
        self.data = self.put(self.fixture / "data", "data")

    def evaluate(self, *more, model="model", **options):
        return in_views(options.pop("views", self.views), "evaluate", "--model", model, "--data", "data", "--report",
                        self.folder / "report", *more, **options)

    def refused(self, codes, *said, **options):
        done = self.assert_refused(self.evaluate(**options), codes, *said)
        self.assertFalse((self.folder / "report").exists())
        self.assertEqual(done.out, "")

    def test_same_views_are_one_evaluation(self):
        self.evaluate(check=0)

    def test_other_data_on_one_rank(self):
        reverse_tokens(self.data[1])
        self.refused(65, "data")

    def test_other_documents_on_one_rank(self):
        shutil.rmtree(self.data[1])
        copied(self.fixture / "pair/train", self.views[1] / "data")
        self.refused(65, "data")
        self.refused(65, "data", views=self.views[::-1])

    def test_other_weights_on_one_rank(self):
        shutil.rmtree(self.models[1])
        copied(self.fixture / "model-nan", self.views[1] / "model")
        self.refused(65, "model")
        self.refused(65, "model", views=self.views[::-1])

    def test_other_report_options_on_one_rank(self):
        for option, words in (("--stride", ["8", "16"]), ("--protocol", ["document", "packed"]),
                              ("--max-documents", ["2", "5"]), ("--context-length", ["16", "32"]),
                              ("--micro-batch", ["2", "3"]), ("--math", ["float32", "bf16"])):
            with self.subTest(option=option):
                done = self.assert_refused(self.evaluate(option, words), 64, option)
                self.assertEqual(done.out, "")
            shutil.rmtree(self.folder / "report", ignore_errors=True)

    def test_damaged_newest_checkpoint_unreadable_on_one_rank(self):
        """Rank 0 passes over a damaged newest checkpoint; the one that it takes is missing on rank 1."""
        for view in self.views:
            for step in (3, 4):
                copied(self.fixture / "model", view / f"run/checkpoints/step-{step:08}")
        flip_bit(self.views[0] / "run/checkpoints/step-00000004/model.h5")
        shutil.rmtree(self.views[1] / "run/checkpoints/step-00000003")
        self.refused((65, 66), "step-00000003", model="run")

    def test_weights_damaged_on_one_rank(self):
        flip_bit(self.models[1] / "model.h5")
        self.refused(65, "model.h5", "rank 1")


if __name__ == "__main__":
    unittest.main()
