"""Runs and evaluations on file systems without locks: one at a time all the same, and what a dead one held is taken
over."""
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from evaluation import EvaluationTest
from failing_calls import failing
from held_evaluation import HeldEvaluation
from pretraining import PretrainTest
from program import PROGRAM, chainrule
from refusals import Refusals, state_of

BOUND = 5  # seconds within which a second job is refused


def without_locks(*more, error="ENOSYS"):
    """No lock can be taken nor asked for, but for those of HDF5."""
    return failing(f"lock:lock$:{error}:always", f"asklock:lock$:{error}:always", *more)


class PretrainWithoutLocks(Refusals, PretrainTest):
    def launch(self, *more, env=None, **changes):
        """A run in this machine's process without a launcher, which goes on until it is stopped."""
        process = subprocess.Popen([PROGRAM, *self.options(*more, **{"steps": 100_000, **changes})],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   env={**os.environ, **(env or without_locks())})
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def launched(self, *more, **changes):
        process = self.launch(*more, **changes)
        self.wait_for_line(process, "step ")
        return process

    def stop(self, process):
        process.send_signal(signal.SIGUSR1)
        said = process.communicate(timeout=60)[1].decode()
        self.assertEqual(process.returncode, 75, said)

    def refused(self, *said, env=None, ranks=(None, 2)):
        """Within the bound, and nothing changes but what the holder refreshes."""
        for count in ranks:
            begin = time.monotonic()
            done = chainrule(*self.options(steps=100_000), ranks=count, env=without_locks() if env is None else env,
                             timeout=20)
            self.assertLess(time.monotonic() - begin, BOUND if count is None else 2 * BOUND)  # a launcher takes its time
            self.assert_refused(done, 73, "the run directory", *said)

    def held(self):
        return json.loads((self.run_folder / "lock.held").read_text())

    def leave_hold(self, seconds_old=0, **changes):
        """Another's hold in the run's place, as old as that. It appears whole: who works there looks at any moment."""
        path = self.run_folder / "lock.held"
        written = path.with_name("hold of a test")
        hold = {"id": "0123456789abcdef" * 2, "process": 1, "host": "elsewhere", "boot": "another", "process_space": 1,
                "process_started": 1, "since": "2026-01-31T12:00:00Z", "job": "", "job_restart": 0, **changes}
        written.write_text(json.dumps(hold))
        os.utime(written, (time.time() - seconds_old,) * 2)
        written.replace(path)

    def leftovers(self):
        return sorted(path.name for path in self.run_folder.iterdir() if path.name.startswith("lock."))

    def test_a_run_is_the_same_and_leaves_nothing(self):
        self.train(run=self.folder / "with locks")
        self.assertEqual([path.name for path in (self.folder / "with locks").glob("lock*")], ["lock"])
        for error, ranks in (("ENOLCK", None), ("ENOSYS", 3), ("ENOTSUP", 1)):
            with self.subTest(error=error):
                run = self.folder / error
                self.train(run=run, ranks=ranks, env=without_locks(error=error))
                self.assertEqual(self.weights_hash(run), self.weights_hash(self.folder / "with locks"))
                self.assertEqual([path.name for path in run.glob("lock*")], ["lock"])
                self.assertEqual(self.checkpoints(run), ["step-00000004", "step-00000006"])

    def test_another_error_is_no_lack_of_locks(self):
        done = self.train(env=without_locks(error="EIO"), check=73)
        self.assert_refused(done, 73, "cannot lock")

    def test_a_second_job_is_refused(self):
        first = self.launched()
        self.assertEqual(self.held()["process"], first.pid)
        self.assertEqual(self.leftovers(), ["lock.held"])
        self.refused(f"is in use by process {first.pid} on {os.uname().nodename} since ")
        listed = chainrule("report", "runs", self.folder, env=without_locks(), check=0)
        self.assertIn(f"running (process {first.pid} on ", listed.out)
        self.stop(first)
        self.assertEqual(self.leftovers(), [])
        self.assertIn("stopped at", chainrule("report", "runs", self.folder, env=without_locks(), check=0).out)

    def test_a_second_job_of_a_first_on_several_ranks(self):
        first = self.start(ranks=2, steps=100_000, env={**os.environ, **without_locks()})
        self.wait_for_line(first, "step ")
        self.refused(f"is in use by process {self.held()['process']} on ")
        first.send_signal(signal.SIGUSR1)
        first.communicate(timeout=60)
        self.assertEqual(first.returncode, 75)
        self.assertEqual(self.leftovers(), [])

    def test_a_killed_job_is_gone_on_with(self):
        whole = self.folder / "whole"
        self.train("--checkpoint-every", 1, run=whole, steps=30)
        for line in ("step 4/", "step 11/"):
            first = self.launch("--checkpoint-every", 1, steps=30)
            self.wait_for_line(first, line)
            first.kill()  # nobody has waited for it when the next one starts
            while b"Z" not in subprocess.run(["ps", "-o", "stat=", str(first.pid)], capture_output=True).stdout:
                time.sleep(0.01)
            self.assertEqual(self.leftovers(), ["lock.held"])
        self.train("--checkpoint-every", 1, steps=30, env=without_locks())
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))
        self.assertEqual([each["loss"] for each in self.metrics()], [each["loss"] for each in self.metrics(whole)])
        self.assertEqual(self.checkpoints(), ["step-00000029", "step-00000030"])
        self.assertEqual(self.leftovers(), [])

    def test_what_other_hosts_held(self):
        self.train(steps=4, env=without_locks())
        self.leave_hold(seconds_old=20)
        before = state_of(self.run_folder)
        self.refused("is in use by process 1 on elsewhere since 2026-01-31T12:00:00Z", "lock.held", "2", "s ago")
        self.assertEqual(state_of(self.run_folder), before)
        self.assertIn("running (process 1 on elsewhere", chainrule("report", "runs", self.folder, check=0).out)
        for hold in ({"seconds_old": 400}, {"host": os.uname().nodename}):
            with self.subTest(hold=hold):
                shutil.rmtree(self.run_folder)
                self.train("--schedule", "constant", steps=4, env=without_locks())
                self.leave_hold(**hold)
                self.train("--schedule", "constant", steps=6, env=without_locks())
                self.assertEqual(self.leftovers(), [])
                self.assertEqual(len(self.metrics()), 6)

    def test_a_new_run_whose_start_was_cut_short(self):
        self.run_folder.mkdir()
        self.leave_hold(seconds_old=400)
        (self.run_folder / "lock").touch()
        self.train(env=without_locks())

    def test_newcomers_that_race(self):
        for count in range(4):
            with self.subTest(count=count):
                self.leave_hold_of_dead_process()
                newcomers = [self.launch() for _ in range(3)]
                self.wait_until(lambda: sum(each.poll() is None for each in newcomers) == 1)
                winner = next(each for each in newcomers if each.poll() is None)
                self.assertEqual({each.returncode for each in newcomers if each is not winner}, {73})
                self.wait_for_line(winner, "step ")
                self.stop(winner)
                self.assertEqual(self.leftovers(), [])

    def leave_hold_of_dead_process(self):
        if not self.run_folder.exists():
            self.run_folder.mkdir()
            (self.run_folder / "lock").touch()
        self.leave_hold(seconds_old=400)

    def test_a_job_that_was_suspended_and_lost_its_run(self):
        """To the second job the first looks like one of a host that died."""
        for ranks in (None, 2):
            with self.subTest(ranks=ranks):
                shutil.rmtree(self.run_folder, ignore_errors=True)
                first = self.launched() if ranks is None else self.start(ranks=ranks, steps=100_000,
                                                                         env={**os.environ, **without_locks()})
                self.wait_until(lambda: self.run_folder.joinpath("checkpoints").exists())
                holder = self.held()
                os.kill(holder["process"], signal.SIGSTOP)
                self.leave_hold(seconds_old=400, **{**holder, "host": "elsewhere", "boot": "another"})
                second = self.launched()
                os.kill(holder["process"], signal.SIGCONT)
                said = first.communicate(timeout=30)[1].decode()
                self.assertEqual(first.returncode, 73, said)
                self.assertIn(f"is not held by this process any more: process {second.pid} on ", said)
                self.assertEqual(self.held()["process"], second.pid)
                self.stop(second)
                steps = [line["step"] for line in self.metrics()]
                self.assertEqual(steps, list(range(1, len(steps) + 1)))
                self.assertEqual(self.leftovers(), [])

    def test_a_job_that_loses_its_run_while_it_saves(self):
        """Whoever took it may have deleted what was half written, or have been further on meanwhile."""
        for mode, then in itertools.product(("sync", "background"), (lambda _: None, self.delete, self.publish)):
            with self.subTest(mode=mode, then=then):
                shutil.rmtree(self.run_folder, ignore_errors=True)
                first = self.launch("--checkpoint-every", 5, "--checkpoint-mode", mode,
                                    env=without_locks("fsync:model.h5:SLOW:1"), steps=20)
                folder = self.run_folder / "checkpoints"
                self.wait_until(lambda: folder.exists() and any(folder.iterdir()))
                mark = self.held()["id"]
                self.assertEqual(self.checkpoints(), [f"step-00000005.{mark}.partial"])
                self.leave_hold()
                then(folder / f"step-00000005.{mark}.partial")
                said = first.communicate(timeout=30)[1].decode()
                self.assertEqual(first.returncode, 73, said)
                self.assertIn("is not held by this process any more: process 1 on elsewhere", said)
                self.assertEqual(self.checkpoints(), ["step-00000005"] if then == self.publish else [])
                self.assertLess(len(self.metrics()), 20)

    def delete(self, partial):
        """With what the job writes meanwhile."""
        self.wait_until(lambda: shutil.rmtree(partial, ignore_errors=True) or not partial.exists())

    def publish(self, partial):
        """Another job's checkpoint of the same step."""
        other = partial.with_name("step-00000005")
        other.mkdir()
        (other / "theirs").touch()

    def test_a_hold_that_somebody_removed(self):
        first = self.launched()
        (self.run_folder / "lock.held").unlink()
        said = first.communicate(timeout=30)[1].decode()
        self.assertEqual(first.returncode, 73, said)
        self.assertIn("lock.held' is gone", said)

    def test_every_rank_of_a_lost_run_ends_with_the_same_code(self):
        """The launcher hands on that of whoever ends first: here each writes its own, if it is left the time for it."""
        codes = self.folder / "codes"
        codes.mkdir()
        by = ["sh", "-c", f"trap '' TERM; \"$0\" \"$@\"; echo $? >'{codes}'/$OMPI_COMM_WORLD_RANK"]
        patient = {"OMPI_MCA_odls_base_sigkill_timeout": "3", "PRTE_MCA_odls_base_sigkill_timeout": "3"}
        first = self.start(ranks=3, steps=100_000, by=by, env={**os.environ, **without_locks(), **patient})
        self.wait_for_line(first, "step ")
        (self.run_folder / "lock.held").unlink()
        said = first.communicate(timeout=60)[1].decode()
        self.assertEqual({path.read_text() for path in codes.iterdir()}, {"73\n"}, said)

    def test_nodes_with_locks_and_nodes_without(self):
        """Whoever cannot see a lock does not take the run of one that has it; whoever has a lock sees the others."""
        first = self.launched()
        self.refused(f"is in use by process {first.pid} on ", env={})
        self.stop(first)
        with_lock = self.launched(env={"PATH": os.environ["PATH"]})
        self.assertEqual(self.leftovers(), [])
        self.refused(f"may be in use by process {with_lock.pid} on ", "remove '")
        self.assertEqual(self.leftovers(), [])
        self.stop(with_lock)
        self.stop(self.launched())  # it is known to have ended
        lock = self.run_folder / "lock"
        lock.write_text("process 1 on elsewhere since 2026-01-31T12:00:00Z")
        self.refused("may be in use by process 1 on elsewhere")
        lock.unlink()
        self.stop(self.launched())
        self.leave_hold(seconds_old=400)
        self.stop(self.launched(env={"PATH": os.environ["PATH"]}))
        self.assertEqual(self.leftovers(), [])


class EvaluateWithoutLocks(Refusals, EvaluationTest):
    SLOW = ["--stride", 1, "--context-length", 8]

    def environment(self, *more):
        return failing("lock:.journal$:ENOLCK:always", *more)

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())

    def test_one_at_a_time(self):
        chainrule(*self.options("with locks"), *self.SLOW, check=0)
        first = HeldEvaluation([*self.options(), *self.SLOW], self.folder / "report.journal",
                               more=["lock:.journal$:ENOLCK:always"])
        first.wait_for_a_record()
        self.assertIn("report.journal.held", self.names())
        for env in (self.environment(), {}):
            begin = time.monotonic()
            done = chainrule(*self.options(), *self.SLOW, env=env, timeout=20)
            self.assertLess(time.monotonic() - begin, BOUND)
            self.assert_refused(done, 73, f"report.journal' is in use by process {first.process.pid} on ")
        first.process.send_signal(signal.SIGKILL)
        first.end()
        self.assertIn("report.journal.held", self.names())
        done = chainrule(*self.options(), *self.SLOW, env=self.environment(), check=0)
        self.assertIn("going on with", done.err)
        self.assertEqual(self.names(), ["report", "with locks"])
        self.assertEqual((self.folder / "report/report.json").read_bytes(),
                         (self.folder / "with locks/report.json").read_bytes())

    def test_one_that_lost_its_journal(self):
        first = HeldEvaluation([*self.options(), *self.SLOW], self.folder / "report.journal",
                               more=["lock:.journal$:ENOLCK:always"])
        first.wait_for_a_record()
        (self.folder / "report.journal.held").unlink()
        code, said = first.end()
        self.assertEqual(code, 73, said)
        self.assertIn("report.journal' is not held by this process any more", said)
        self.assertFalse((self.folder / "report").exists())


if __name__ == "__main__":
    unittest.main()
