"""`chainrule pretrain` by the clock: time limits, the file that stops a run, checkpoints by minutes, those kept for good."""
import os
import time
import unittest

from pretraining import PretrainTest

ENDLESS = 1_000_000
CONSTANT = ["--schedule", "constant", "--warmup-steps", 0]  # so that a run may be given fewer steps


class Pace(PretrainTest):
    def test_a_file_stops_the_run_and_is_gone_then(self):
        process = self.start(ranks=2, steps=ENDLESS)
        self.wait_for_line(process, "step 3/")
        (self.run_folder / "stop").touch()
        said = process.communicate(timeout=60)[1].decode()
        self.assertEqual(process.returncode, 75, said)
        self.assertIn("stopped early at step", said)
        self.assertFalse((self.run_folder / "stop").exists())
        stood_at = self.metrics()[-1]["step"]
        self.assertEqual([line["step"] for line in self.metrics() if "stopped" in line], [stood_at])
        (self.run_folder / "stop").touch()  # while it waits in the queue
        self.train(steps=ENDLESS, check=75)
        self.assertFalse((self.run_folder / "stop").exists())
        self.assertEqual(self.metrics()[-1]["step"], stood_at)

    def test_a_time_limit_stops_in_time(self):
        for ranks in (None, 2):
            began = time.monotonic()
            done = self.train(*CONSTANT, "--time-limit", "0:12", ranks=ranks, steps=ENDLESS, check=75)
            self.assertLess(time.monotonic() - began, 12)
            self.assertIn("the time is nearly up", done.err)
        done = self.train(*CONSTANT, "--time-limit", "5", "--checkpoint-every", 0, steps=self.metrics()[-1]["step"] + 3)
        self.assertNotIn("nearly up", done.err)

    def test_each_start_takes_a_step_however_short_its_time(self):
        for step in (2, 4):  # ranks agree to stop behind the next step
            self.train("--time-limit", "0:01", steps=ENDLESS, check=75)
            self.assertEqual(self.metrics()[-1]["step"], step)

    def test_the_end_of_a_batch_job_is_a_time_limit(self):
        job = {**os.environ, "SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": str(int(time.time()) + 13)}
        began = time.monotonic()
        done = self.train(*CONSTANT, ranks=2, steps=ENDLESS, check=75, env=job)
        self.assertLess(time.monotonic() - began, 13)
        self.assertIn("the time is nearly up", done.err)
        self.train(*CONSTANT, "--time-limit", "60", steps=self.metrics()[-1]["step"] + 2, env=job)  # what is asked for counts

    def test_checkpoints_by_the_clock_change_no_bit(self):
        whole = self.folder / "whole"
        self.train(run=whole, steps=40)
        for ranks, words in ((None, ["--checkpoint-minutes", "1e-9"]),
                             (2, ["--checkpoint-minutes", "auto", "--expected-failure-hours", "1e-9"])):
            run = self.folder / f"{ranks}"
            self.train(*words, "--checkpoint-every", 0, "--keep-checkpoints", 99, run=run, steps=40, ranks=ranks)
            self.assertEqual(self.weights_hash(run), self.weights_hash(whole))
            self.assertGreater(len(self.checkpoints(run)), 1)

    def test_some_are_kept_for_good(self):
        self.train("--checkpoint-every", 3, "--keep-checkpoints", 1, "--keep-every", 2, steps=7)
        self.assertEqual(self.checkpoints(), [f"step-{step:08}" for step in (2, 4, 6, 7)])

    def test_refusals(self):
        for words, message in (
            (["--checkpoint-minutes", "often"], "option '--checkpoint-minutes' is 'often': minutes above 0, or auto"),
            (["--checkpoint-minutes", "0"], "option '--checkpoint-minutes' is '0'"),
            (["--checkpoint-minutes", "nan"], "option '--checkpoint-minutes' is 'nan'"),
            (["--expected-failure-hours", "0"], "option '--expected-failure-hours' is '0': hours above 0"),
            (["--time-limit", "soon"], "--time-limit: 'soon' is no time limit"),
            (["--keep-every", "-1"], "option '--keep-every' must be at least 0, not -1"),
        ):
            with self.subTest(words=words):
                self.assertIn(message, self.train(*words, check=64).err)
        self.assertFalse(self.run_folder.exists())


if __name__ == "__main__":
    unittest.main()
