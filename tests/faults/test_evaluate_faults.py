"""`chainrule evaluate` refuses what is wrong: one clear message, the right exit code, no output left behind."""
import json
import os
import shutil
import unittest

from evaluation import EvaluationTest
from program import chainrule


class EvaluateFaults(EvaluationTest):
    def refuse(self, code, *said, options, ranks=(3,)):
        """Runs on each rank count (None: without a launcher): the exit code, one message that says all of `said`, and nothing written."""
        before = sorted(self.folder.iterdir())
        for count in ranks:
            done = chainrule(*options, ranks=count, timeout=30)
            self.assertEqual(done.returncode, code, done.err)
            for text in said:
                self.assertIn(str(text), done.err)
            self.assertEqual(done.err.count("chainrule: "), 1, done.err)
            self.assertEqual(done.out, "")
            self.assertEqual(sorted(self.folder.iterdir()), before)

    def copied(self, name):
        shutil.copytree(self.fixture / name, self.folder / name)
        return self.folder / name

    def test_usage(self):
        for more, said in ((["--context-length", 33], "longer than the model's 32"),
                           (["--context-length", 0], "--context-length must be at least 1"),
                           (["--context-length", 8, "--stride", 9], "--stride 9 is longer than the context length 8"),
                           (["--stride", -1], "--stride must be at least 1"),
                           (["--protocol", "packed", "--stride", 4], "--stride belongs to protocol document"),
                           (["--protocol", "rolling"], "neither document nor packed"),
                           (["--micro-batch", 10**12], "more than"),
                           (["--max-documents", 0], "--max-documents must be at least 1"),
                           (["--strid", 4], "did you mean '--stride'")):
            self.refuse(64, said, options=[*self.options(), *more], ranks=(None,))
        self.refuse(64, "longer than the model's 32", options=[*self.options(), "--context-length", 33])
        self.refuse(64, "--report", options=["evaluate", "--model", self.fixture / "model", "--data",
                                             self.fixture / "data"])

    def test_a_pair_of_data_sets_names_both(self):
        self.refuse(64, self.fixture / "pair/train", self.fixture / "pair/held-out",
                    options=self.options("report", "model", "pair"))

    def test_different_tokenizers_name_both_fingerprints(self):
        self.refuse(65, "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100",
                    options=self.options("report", "model", "data-other"))

    def test_different_vocabulary(self):
        self.refuse(65, "97", "98", options=self.options("report", "model", "data-wide"))

    def test_nothing_to_score(self):
        self.refuse(65, "nothing to score", options=self.options("report", "model", "data-empty"))
        self.refuse(65, "nothing to score", options=self.options("report", "model", "data-blank"))
        chainrule(*self.options("report", "model", "data-blank"), "--protocol", "packed", check=0)

    def test_missing_input(self):
        self.refuse(66, "absent", options=self.options("report", "absent", "data"))
        self.refuse(66, "absent", options=self.options("report", "model", "absent"))

    def test_a_flipped_bit_in_a_shard(self):
        data = self.copied("data")
        shard = sorted(data.glob("*.h5"))[-1]
        content = bytearray(shard.read_bytes())
        content[len(content) // 2] ^= 1
        shard.write_bytes(content)
        self.refuse(65, shard.name, options=self.options("report", "model", data))

    def test_a_truncated_shard(self):
        data = self.copied("data")
        shard = sorted(data.glob("*.h5"))[0]
        os.truncate(shard, shard.stat().st_size - 100)
        self.refuse(65, shard.name, options=self.options("report", "model", data))

    def test_a_flipped_bit_in_the_model(self):
        model = self.copied("model")
        content = bytearray((model / "model.h5").read_bytes())
        content[len(content) // 2] ^= 1
        (model / "model.h5").write_bytes(content)
        self.refuse(65, "model.h5", options=self.options("report", model))

    def test_a_checkpoint_without_manifest(self):
        model = self.copied("model")
        (model / "manifest.json").unlink()
        done = chainrule(*self.options("report", model))
        self.assertIn(done.returncode, (65, 66), done.err)

    def test_a_report_folder_in_use(self):
        used = self.folder / "used"
        used.mkdir()
        (used / "precious").write_text("data")
        self.refuse(73, used, "already in use", options=self.options("used"), ranks=(None, 3))
        self.assertEqual((used / "precious").read_text(), "data")
        (self.folder / "file").write_text("data")
        self.refuse(73, self.folder / "file", options=self.options("file"))
        self.refuse(73, self.folder / "file", options=self.options("file/report"))

    def test_a_second_run_into_the_same_report(self):
        chainrule(*self.options(), check=0)
        before = (self.folder / "report" / "report.json").read_bytes()
        self.refuse(73, "already in use", options=self.options())
        self.assertEqual((self.folder / "report" / "report.json").read_bytes(), before)

    def test_weights_that_are_not_numbers(self):
        for ranks in (None, 3):
            name = f"report {ranks}"
            done = chainrule(*self.options(name, "model-nan"), ranks=ranks, timeout=30)
            self.assertEqual(done.returncode, 65, done.err)
            self.assertIn("no finite result", done.err)
            report = json.loads((self.folder / name / "report.json").read_text())
            self.assertEqual(report["tokens_scored"], 0)
            self.assertEqual(report["nonfinite_tokens"], 1873)
            for field in ("nll_nats", "cross_entropy_nats", "perplexity", "bits_per_byte"):
                self.assertIsNone(report[field], field)


if __name__ == "__main__":
    unittest.main()
