"""Checkpoints that are written beside the steps: steps go on meanwhile, failures reach every rank, nothing half-written
stays, and what was damaged is saved again."""
import os
import shutil
import signal
import unittest

from failing_calls import failing
from pretraining import PretrainTest, flip_bit

SLOW = failing("fsync:step-00000002.partial/model:SLOW:1")


class BackgroundCheckpoints(PretrainTest):
    def seconds_behind_step_2(self, mode, ranks):
        run = self.folder / f"{mode} {ranks}"
        self.train("--checkpoint-mode", mode, run=run, ranks=ranks, steps=4, env=SLOW)
        seconds = {line["step"]: line["elapsed_seconds"] for line in self.metrics(run)}
        self.assertEqual(self.checkpoints(run), ["step-00000002", "step-00000004"])
        return seconds[3] - seconds[2], self.weights_hash(run)

    def test_steps_go_on_meanwhile(self):
        hashes = set()
        for ranks in (None, 2):
            beside, of_beside = self.seconds_behind_step_2("background", ranks)
            waiting, of_waiting = self.seconds_behind_step_2("sync", ranks)
            self.assertLess(beside, 1)
            self.assertGreater(waiting, 2)
            hashes |= {of_beside, of_waiting}
        self.assertEqual(len(hashes), 1)

    def test_failures_reach_every_rank(self):
        for ranks in (None, 2, 3):
            for rank in range(ranks or 1):
                run = self.folder / f"{ranks} {rank}"
                done = self.train(run=run, ranks=ranks, steps=100_000, check=None,
                                  env=failing(f"write:step-00000004.partial/optimizer-{rank:05}:ENOSPC:always"))
                self.assertIn(done.returncode, (73, 74), done.err)
                self.assertEqual(done.err.count("chainrule: "), 1, done.err)
                self.assertNotIn("HDF5-DIAG", done.err)
                self.assertIn(f"step-00000004.partial/optimizer-{rank:05}", done.err)
                self.assertIn("No space left", done.err)
                self.assertEqual(self.checkpoints(run), ["step-00000002"])

    def test_a_stop_meanwhile_waits_for_it(self):
        process = self.start("--checkpoint-every", 2, "--log-every", 100_000, ranks=2, steps=100_000,
                             env={**os.environ, **failing("fsync:step-00000004.partial/model:SLOW:1")})
        self.wait_until(lambda: (self.checkpoint(4).parent / "step-00000004.partial").exists())
        process.send_signal(signal.SIGUSR1)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 75, err)
        newest = self.metrics()[-1]["step"]
        self.assertIn(f"step-{newest:08}", self.checkpoints())
        self.assertFalse([name for name in self.checkpoints() if "partial" in name])

    def test_what_was_cut_short_goes(self):
        self.train(steps=2)
        shutil.copytree(self.checkpoint(2), self.checkpoint(2).parent / "step-00000001.partial")
        self.train(steps=2, check=0)
        self.assertEqual(self.checkpoints(), ["step-00000002"])

    def test_a_damaged_one_is_saved_again(self):
        whole = self.folder / "whole"
        self.train("--keep-every", 2, run=whole)
        self.train("--keep-every", 2)
        flip_bit(self.checkpoint(4) / "model.h5")
        shutil.rmtree(self.checkpoint(6))
        done = self.train("--keep-every", 2)
        self.assertIn("step-00000004.damaged", done.err)
        self.assertEqual(self.checkpoints(),
                         ["step-00000002", "step-00000004", "step-00000004.damaged", "step-00000006"])
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))


if __name__ == "__main__":
    unittest.main()
