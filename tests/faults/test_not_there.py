"""What cannot be seen is not taken for absent: no run begins anew over checkpoints that it could not read."""
import os
import shutil
import unittest

from failing_calls import failing
from pretraining import PretrainTest
from program import chainrule
from refusals import Refusals, copied, state_of
from views import in_views


class CheckpointsThatCannotBeSeen(Refusals, PretrainTest):
    """A run that stands at step 4 of 6 must never begin anew over its checkpoints."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.begun = cls.fixture / "begun"
        maker = cls()
        PretrainTest.setUp(maker)
        maker.train(run=cls.begun)
        shutil.rmtree(cls.begun / "checkpoints/step-00000006")

    def setUp(self):
        super().setUp()
        self.run_folder = copied(self.begun, self.folder / "run")

    def seen(self):
        state = state_of(self.run_folder)
        return {name: content for name, content in state.items() if name != "lock"}

    def untouched(self, *said, env=None, code=(66, 73, 74), before=None, ranks=None):
        before = before or self.seen()
        done = self.train(check=None, env=env, ranks=ranks)
        self.assert_refused(done, code, *said)
        self.assertNotIn("internal error", done.err)
        self.assertEqual(self.seen().keys(), before.keys(), done.err)
        self.assertEqual(self.seen(), before, done.err)

    def test_calls_that_fail(self):
        for rule in ("opendir:checkpoints:EACCES:always", "opendir:checkpoints:ESTALE:1", "opendir:checkpoints:EIO:1",
                     "stat:checkpoints$:ESTALE:1", "stat:checkpoints$:EACCES:always", "readdir:checkpoints:EIO:1",
                     "readdir:checkpoints:ESTALE:1", "opendir:checkpoints:EMFILE:1"):
            with self.subTest(rule=rule):
                before = self.seen()
                done = self.train(check=None, env=failing(rule))
                # A call that nobody needs to make, or one that is made again: ESTALE comes once and goes.
                if done.returncode == 0 and (rule.startswith("stat") or rule.endswith("ESTALE:1")):
                    self.assertIn("going on from step 4", done.err)
                else:
                    self.assert_refused(done, (66, 73, 74), "checkpoints")
                    self.assertEqual(self.seen(), before)
            shutil.rmtree(self.run_folder)
            copied(self.begun, self.run_folder)

    def test_files_of_the_newest_checkpoint_that_cannot_be_read(self):
        """Not found damaged, only not read: it stays in its place, and nothing older is used instead."""
        for rule in ("open:manifest.json:EACCES:always", "open:manifest.json:ESTALE:1", "read:manifest.json:EIO:1",
                     "open:model.h5:ESTALE:1", "read:model.h5:EIO:1", "open:optimizer:EACCES:always",
                     "read:optimizer:EIO:1", "open:step-00000004/state.json:ESTALE:1",
                     "read:step-00000004/state.json:EIO:1", "open:step-00000004/model.json:EACCES:always",
                     "stat:model.h5:ESTALE:1", "open:config.cfg:EACCES:always", "read:config.cfg:EIO:1",
                     "stat:config.cfg:ESTALE:1"):
            with self.subTest(rule=rule):
                before = self.seen()
                done = self.train(check=None, env=failing(rule))
                self.assertNotIn("internal error", done.err)
                self.assertFalse(any("damaged" in name for name in self.checkpoints()), done.err)
                if done.returncode == 0 and rule.startswith("stat"):
                    self.assertIn("going on from step 4", done.err)
                else:
                    self.assert_refused(done, (66, 73, 74))
                    self.assertEqual(self.seen(), before)
            shutil.rmtree(self.run_folder)
            copied(self.begun, self.run_folder)

    def test_links(self):
        hidden = self.folder / "elsewhere"
        os.rename(self.run_folder / "checkpoints", hidden)
        (self.run_folder / "checkpoints").symlink_to(hidden)
        shutil.move(hidden, self.folder / "not mounted")
        self.untouched("checkpoints")
        shutil.move(self.folder / "not mounted", hidden)
        self.train()  # a link that leads there is as good as a folder
        self.assertEqual(len(self.metrics()), 6)

    def test_a_checkpoint_behind_a_dangling_link(self):
        place = self.checkpoint(4)
        os.rename(place, self.folder / "moved")
        place.symlink_to(self.folder / "not mounted")
        self.untouched("step-00000004")

    def test_a_file_in_the_place_of_checkpoints(self):
        shutil.rmtree(self.run_folder / "checkpoints")
        (self.run_folder / "checkpoints").write_text("mine")
        self.untouched("checkpoints")

    def test_a_link_cycle(self):
        shutil.rmtree(self.run_folder / "checkpoints")
        (self.run_folder / "checkpoints").symlink_to("checkpoints")
        self.untouched("checkpoints")

    def test_on_several_ranks_one_message(self):
        before = self.seen()
        for environments in ([failing("opendir:checkpoints:EACCES:always"), {}], [{}, failing("open:optimizer:ESTALE:1")]):
            done = in_views([self.folder] * 2, *self.options(), env=environments)
            self.assert_refused(done, (66, 73, 74), "checkpoints")
            self.assertEqual(self.seen(), before)

    def test_what_is_told_absent_once_and_then_found_is_there(self):
        """As where a file appears between two looks."""
        for rule in ("stat:manifest.json$:ENOENT:1", "stat:step-00000004$:ENOENT:1", "stat:config.cfg$:ENOENT:1"):
            for rank in ("", ":rank=1"):
                with self.subTest(rule=rule + rank):
                    shutil.rmtree(self.run_folder)
                    copied(self.begun, self.run_folder)
                    done = self.train(ranks=2 if rank else None, env=failing(rule + rank))
                    self.assertIn("going on from step 4", done.err)

    def test_a_rank_waits_for_the_checkpoint_that_the_first_has_found(self):
        done = self.train(ranks=2, env=failing("stat:step-00000004$:ENOENT:6:rank=1"))
        self.assertIn("going on from step 4", done.err)
        shutil.rmtree(self.checkpoint(6))
        self.untouched("step-00000004", env=failing("stat:step-00000004$:ENOENT:always:rank=1"), ranks=2)

    def test_commands_that_read_the_run(self):
        for command in (["inspect", self.run_folder], ["score", "--model", self.run_folder, "--text", "a"],
                        ["evaluate", "--model", self.run_folder, "--data", self.fixture / "pair/train", "--report",
                         self.folder / "report"]):
            for rule in ("opendir:checkpoints:EACCES:always", "readdir:checkpoints:EIO:always",
                         "stat:checkpoints:ESTALE:always"):
                with self.subTest(command=command[0], rule=rule):
                    done = chainrule(*command, env=failing(rule), timeout=20)
                    self.assert_refused(done, (66, 74), "run")
                    self.assertNotIn("internal error", done.err)
                    self.assertNotIn("verified", done.out)

    def test_a_validation_set_that_cannot_be_seen(self):
        for rule in ("stat:held-out/index.json:ESTALE:1", "stat:held-out/index.json:EACCES:always",
                     "open:held-out/index.json:EACCES:always"):
            with self.subTest(rule=rule):
                shutil.rmtree(self.run_folder)
                done = self.train("--validate-every", 1, check=None, env=failing(rule))
                if done.returncode == 0:  # nobody needed the call
                    self.assertIn("validation loss", done.err)
                else:
                    self.assert_refused(done, (66, 74), "held-out")
                shutil.rmtree(self.run_folder, ignore_errors=True)
                copied(self.begun, self.run_folder)


if __name__ == "__main__":
    unittest.main()
