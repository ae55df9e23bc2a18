"""Limits and environments that a batch system may give: named in one line before anything is lost, never a signal."""
import os
import pathlib
import resource
import signal
import subprocess
import tempfile
import time
import unittest

from evaluation import EvaluationTest
from failing_calls import failing
from packing import TOKENIZER, PackTest, write_corpus
from pretraining import PretrainTest
from program import MPIRUN, MPIRUN_FLAGS, PROGRAM, chainrule, read_back, run_bounded
from refusals import Refusals
from text_model import TextModelTest

# What tells a process its rank, and no MPI job behind it.
STEPS = ({"SLURM_PROCID": "3", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "7"}, {"PMI_RANK": "3", "PMI_SIZE": "4"},
         {"PMI_RANK": "3"}, {"SLURM_PROCID": "3"}, {"PMIX_RANK": "3"})


def small_files(limit):
    """For preexec_fn: files may have so many bytes; the signal that goes with it stays as the system has it."""
    def apply():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return apply


def limited(*arguments, limit):
    return read_back(run_bounded([PROGRAM, *map(str, arguments)], 60, preexec_fn=small_files(limit), env=os.environ))


class PretrainLimits(Refusals, PretrainTest):
    def test_small_files(self):
        self.train()
        self.keep_checkpoints_up_to(4)
        for limit in (1 << 20, 1 << 16, 1 << 10):
            with self.subTest(limit=limit):
                done = limited(*self.options(), limit=limit)
                self.assert_refused(done, (73, 74))
                self.assertEqual(self.checkpoints(), ["step-00000004"])
        self.train()

    def test_small_files_on_several_ranks(self):
        command = ["bash", "-c", 'ulimit -f 1024; exec "$@"', "bash", PROGRAM, *self.options()]
        done = read_back(run_bounded([MPIRUN, *MPIRUN_FLAGS, "-n", "2", *command], 60))
        self.assert_refused(done, (73, 74))

    def test_too_many_threads(self):
        for words, environment in ((["--threads", 1_000_000], {}), (["--threads", 100_000], {}),
                                   ([], {"OMP_NUM_THREADS": "100000"}), ([], {"OMP_NUM_THREADS": "20000"}),
                                   ([], {"OMP_NUM_THREADS": "1000000000000"})):
            with self.subTest(words=words, environment=environment):
                done = chainrule(*self.options(*words), env=environment, timeout=20)
                self.assert_refused(done, 64, "--threads" if words else "OMP_NUM_THREADS")

    def test_a_bound_on_threads_or_processes(self):
        """A system that allows no more threads."""
        def no_threads():
            resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
        done = read_back(run_bounded([PROGRAM, *self.options("--threads", 600)], 60, preexec_fn=no_threads,
                                     env=os.environ))
        self.assertIn(done.returncode, (0, 64, 71), done.err)

    def test_no_folder_for_temporary_files(self):
        for folder in (self.fixture / "tokenizer.json", self.fixture / "tokenizer.json/below", "/proc/nowhere"):
            with self.subTest(folder=folder):
                done = self.train(check=None, env={"TMPDIR": str(folder)})
                if done.returncode != 0:
                    self.assert_refused(done, (64, 66, 73), "TMPDIR")
                self.assertLess(len(done.err.splitlines()), 12, done.err)

    def test_terminated_under_a_launcher(self):
        """mpirun turns TERM into KILL after a second: what is not saved by then is lost, and --help must not promise
        more. The same command goes on all the same."""
        process = self.start("--checkpoint-every", 0, ranks=2, steps=100_000,
                             env={**os.environ, **failing("fsync:model.h5:SLOW:1")})
        self.wait_for_line(process, "step 5/")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        if process.returncode != 75:
            promise = " ".join(chainrule("pretrain", "--help").out.split())
            self.assertRegex(promise, r"mpirun[^.]*TERM|TERM[^.]*mpirun")

    def test_terminated_without_a_launcher(self):
        process = subprocess.Popen([PROGRAM, *self.options("--checkpoint-every", 0, steps=100_000)],
                                   stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   env={**os.environ, **failing("fsync:model.h5:SLOW:1")})
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        self.wait_for_line(process, "step 5/")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 75)
        self.assertEqual(len(self.checkpoints()), 1)

    def test_a_rank_without_a_job(self):
        """Four tasks that are no MPI job would each be rank 0 of one."""
        for environment in STEPS[:2]:
            with self.subTest(environment=environment):
                done = chainrule(*self.options(), env=environment, timeout=20)
                self.assert_refused(done, 64)
                self.assertFalse(self.run_folder.exists())

    def test_ranks_that_do_not_find_each_other(self):
        """Also the first of several tasks would do the whole work beside the others."""
        for environment in ({"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "4"},
                            {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2", "PMIX_NAMESPACE": "job"},
                            {"PMI_RANK": "0", "PMI_SIZE": "2", "PMI_FD": "9"}):
            with self.subTest(environment=environment):
                begin = time.monotonic()
                done = chainrule(*self.options(), env=environment, timeout=20)
                # Open MPI 5 itself ends where it asks for a server that is not there.
                self.assertRegex(done.err, "would do the whole work|PMIx_Init failed")
                self.assertEqual(done.returncode, 14 if "PMIx_Init failed" in done.err else 64, done.err)
                self.assertLess(time.monotonic() - begin, 5)
                self.assertFalse(self.run_folder.exists())
        chainrule(*self.options(), env={"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}, check=0)

    def test_no_lock_service(self):
        """Locks of HDF5's own are not needed; test_without_locks.py has the run's."""
        self.train(env=failing("flock::ENOLCK:always"))


class OtherLimits(Refusals, EvaluationTest):
    def test_small_files(self):
        done = limited(*self.options(), limit=512)
        self.assert_refused(done, (73, 74), "report.journal")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["report.journal"], "and that is named")

    def test_no_lock_service(self):
        chainrule(*self.options(), env=failing("flock::ENOLCK:always"), check=0)
        chainrule("inspect", self.fixture / "data", env=failing("flock::ENOLCK:always"), check=0)
        chainrule("inspect", self.fixture / "model", env=failing("flock::ENOTSUP:always"), check=0)

    def test_no_folder_for_temporary_files(self):
        done = chainrule(*self.options(), env={"TMPDIR": "/proc/nowhere"})
        if done.returncode != 0:
            self.assert_refused(done, (64, 66, 73), "TMPDIR")
        self.assertLess(len(done.err.splitlines()), 5, done.err)

    def test_others_that_end_meanwhile(self):
        """Single processes of Open MPI share a folder below TMPDIR. Each removes what is empty when it ends, maybe just
        before another makes its own in it: then one start in a hundred of eight at once fails."""
        shared = pathlib.Path(tempfile.gettempdir()) / "ompi."
        chainrule(*self.options(), env=failing(f"mkdir:{shared}:ENOENT:always"), check=0)

    def test_too_many_threads(self):
        for words, environment in ((["--threads", 1_000_000], {}), ([], {"OMP_NUM_THREADS": "100000"})):
            with self.subTest(words=words, environment=environment):
                done = chainrule(*self.options(), *words, env=environment, timeout=20)
                self.assert_refused(done, 64, "--threads" if words else "OMP_NUM_THREADS")
        done = chainrule("benchmark", "--model", "tiny", "--threads", 1_000_000, timeout=20)
        self.assert_refused(done, 64, "--threads")


class PackLimits(Refusals, PackTest):
    def test_small_files(self):
        write_corpus(self.corpus, lines=300)
        done = limited("pack", "--tokenizer", TOKENIZER, "--input", self.corpus, "--output", self.folder / "data",
                       limit=4096)
        self.assert_refused(done, (73, 74))
        self.assertEqual([path.name for path in self.folder.iterdir()], ["corpus"])

    def test_no_lock_service(self):
        write_corpus(self.corpus, lines=3)
        self.pack_with(failing("flock::ENOLCK:always"))

    def pack_with(self, environment):
        chainrule("pack", "--tokenizer", TOKENIZER, "--input", self.corpus, "--output", self.folder / "data",
                  env=environment, check=0)
        chainrule("inspect", self.folder / "data", env=environment, check=0)


class TextLimits(Refusals, TextModelTest):
    def test_small_files(self):
        for number, command in enumerate((
                ["tokenizer", "train", "--input", self.home / "text", "--vocabulary-size", 290],
                ["tokenizer", "encode", "--tokenizer", self.home / "tokenizer.json", "--input",
                 self.home / "text/0.txt"])):
            output = self.folder / f"output {number}"
            self.assert_refused(limited(*command, "--output", output, limit=512), (73, 74), output)
            self.assertFalse(any(self.folder.iterdir()))
        for command, option in (("score", "--html"), ("next", "--svg")):
            done = limited(command, "--model", self.run_directory, "--text", "a", option, self.folder / "o", limit=512)
            self.assert_refused(done, (73, 74), self.folder / "o")
            self.assertFalse(any(self.folder.iterdir()))

    def test_a_rank_without_a_job(self):
        """What one process is asked for, it does or refuses; it is never silent."""
        for number, environment in enumerate(STEPS):
            with self.subTest(environment=environment):
                output = self.folder / f"{number}.u32"
                done = chainrule("tokenizer", "encode", "--tokenizer", self.home / "tokenizer.json", "--input",
                                 self.home / "text/0.txt", "--output", output, env=environment)
                self.assertEqual(done.returncode == 0, output.exists(), done.err)
                done = chainrule("inspect", self.home / "data", env=environment)
                self.assertEqual(done.returncode == 0, "verified" in done.out, done.err)
                done = chainrule("score", "--model", self.run_directory, "--text", "a", env=environment)
                self.assertEqual(done.returncode == 0, "cross-entropy" in done.out, done.err)
                done = chainrule("inspect", self.folder / "absent", env=environment)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("chainrule: ", done.err)

    def test_too_many_threads(self):
        for command in (["score", "--text", "a"], ["next", "--text", "a"], ["generate", "--prompt", "a"]):
            for words, environment in ((["--threads", 1_000_000], {}), ([], {"OMP_NUM_THREADS": "100000"})):
                with self.subTest(command=command[0], words=words):
                    done = chainrule(*command, "--model", self.run_directory, *words, env=environment, timeout=20)
                    self.assert_refused(done, 64, "--threads" if words else "OMP_NUM_THREADS")


if __name__ == "__main__":
    unittest.main()
