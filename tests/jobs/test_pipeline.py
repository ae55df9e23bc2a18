"""jobs/pipeline.sh: files that are refused, the order of jobs, and a pipeline here that fails and goes on."""
import fcntl
import os
import pathlib
import shutil
import signal
import time
import unittest

from program import PROGRAM, chainrule
from schedulers import JOBS, SchedulerTest

STAGES = """work = work
scheduler = {scheduler}
threads = 1

[tokenizer]
options = --input "the text" --vocabulary-size 300

[pack]
ranks-per-node = 2
options = --input "the text" --held-out 0.3

[pretrain]
ranks-per-node = 2
chain = 1
options = --model tiny --layers 1 --heads 2 --width 32 --sequence-length 16   # a comment
options = --micro-batch 2 --global-batch 4 --validate-every 0 --steps {steps}

[evaluate]
array = 2
ranks-per-node = 1
"""

# Of Ctrl-C mpirun makes KILL for all ranks, also where it was started with that signal ignored; USR1 it passes on.
MPIRUN_IN_A_TERMINAL = """#!/usr/bin/python3
import os, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: os._exit(1))
signal.signal(signal.SIGUSR1, lambda *_: os._exit(75))
open(os.environ["CODES"] + ".waits", "w").close()
time.sleep(1)
os._exit(0)
"""


class PipelineTest(SchedulerTest):
    def write(self, text):
        (self.folder / "pipeline.cfg").write_text(text)

    def pipeline(self, *words, **more):
        return self.run_script(JOBS / "pipeline.sh", "pipeline.cfg", *words, timeout=120, **more)

    def states(self):
        return dict(line.split(maxsplit=1) for line in self.pipeline("--status").out.splitlines())


class Files(PipelineTest):
    def test_refusals_name_the_line(self):
        good = STAGES.format(scheduler="slurm", steps=3)
        for old, new, message in (
            ("work = work", "wrok = work", "pipeline.cfg:1: unknown key 'wrok'"),
            ("work = work", "# nothing", "key 'work' is missing"),
            ("threads = 1", "threads", "pipeline.cfg:3: 'threads' is neither"),
            ("threads = 1", "threads =", "pipeline.cfg:3: key 'threads' has no value"),
            ("threads = 1", "work = again", "pipeline.cfg:3: key 'work' is given twice"),
            ("[pack]", "[packs]", "pipeline.cfg:8: unknown section 'packs'"),
            ("[pack]", "[tokenizer]", "pipeline.cfg:8: section 'tokenizer' is given twice"),
            ("array = 2", "arrays = 2", "unknown key 'arrays' in [evaluate]"),
            ("chain = 1", "array = 2", "unknown key 'array' in [pretrain]"),
            ("--held-out 0.3", "--output x", "[pack] options: the pipeline itself says '--output'"),
            ("--held-out 0.3", "--output=x", "[pack] options: the pipeline itself says '--output'"),
            (" --held-out 0.3", "", "nothing to evaluate: [pack] has no --held-out"),
            ('"the text" --held', '"the text --held', "[pack] options: a quote is not closed"),
        ):
            with self.subTest(new):
                self.assertIn(old, good)
                self.write(good.replace(old, new, 1))
                for mode in ((), ("--status",), ("--dry-run",)):
                    if mode == ("--status",) and ("options:" in message or "nothing to evaluate" in message):
                        continue
                    self.assertIn(message, self.pipeline(*mode, check=64).err)
        self.assertFalse((self.folder / "work").exists())
        self.assertIn("cannot read 'none.cfg'", self.run_script(JOBS / "pipeline.sh", "none.cfg", check=66).err)
        self.assertIn("unknown option '--dry'", self.pipeline("--dry", check=64).err)

    def test_the_example_is_taken(self):
        self.pretend("slurm")
        done = self.run_script(JOBS / "pipeline.sh", JOBS / "examples" / "pipeline.cfg", "--dry-run")
        self.assertEqual(done.out.count("#SBATCH --job-name=pretrain"), 10)
        self.assertIn("--dependency=afterok:ID-pretrain.10 ", done.out)


class Queued(PipelineTest):
    def setUp(self):
        super().setUp()
        self.pretend("slurm")
        self.write(STAGES.format(scheduler="slurm", steps=3))

    def submitted(self):
        return [pathlib.Path(call.split()[-1]).name for call in self.calls("sbatch")]

    def waits_for(self):
        return [next((word[20:] for word in call.split() if word.startswith("--dependency=")), None)
                for call in self.calls("sbatch")]

    def test_every_stage_waits_for_the_last_job_of_the_one_before(self):
        self.pipeline()
        self.assertEqual(self.submitted(), ["tokenizer.sh", "pack.sh", "pretrain.sh", "pretrain.2.sh", "evaluate.sh",
                                            "evaluate-merge.sh"])
        self.assertEqual(self.waits_for(), [None, ":101", ":102", ":103", ":104", ":105"])

    def test_what_is_in_the_queue_is_not_submitted_again(self):
        self.pipeline()
        states = pathlib.Path(f"{self.recorded}.states")
        states.write_text("PENDING\n")
        self.assertIn("pack: job 102 is in the queue or runs", self.pipeline().out)
        self.assertEqual(len(self.calls("sbatch")), 6)
        self.assertEqual(self.states()["pretrain"], "waiting  job 103 104")
        states.write_text("RUNNING\n")
        self.assertEqual(self.states()["tokenizer"], "running  job 101")
        self.assertEqual(self.states()["merge"], "running  job 106")

    def test_a_scheduler_that_does_not_answer_is_not_taken_for_an_empty_queue(self):
        self.pipeline()
        pathlib.Path(f"{self.recorded}.down").touch()
        self.assertIn("does not answer", self.states()["pack"])
        self.assertIn("does not say what became of job", self.pipeline(check=69).err)
        self.assertEqual(len(self.calls("sbatch")), 6)

    def test_status_says_how_and_where_a_stage_failed(self):
        self.assertEqual(set(self.states().values()), {"not submitted"})
        self.pipeline()
        work = self.folder / "work"
        (work / "tokenizer.json").write_text("{}")
        shutil.copy(work / "tokenizer.json.job" / "command", work / "tokenizer.json.job" / "made")  # as a job does
        (work / "report.job" / "ended").write_text("105_1\t0\n105_2\t74\n")
        (work / "data.job" / "ended").write_text("102\t65\n")
        states = self.states()
        absolute, work = work, pathlib.Path("work")
        self.assertEqual(states["tokenizer"], f"done     {work / 'tokenizer.json'}")
        self.assertEqual(states["pack"], f"failed   exit code 65, log {work / 'data.job' / 'pack-102.log'}")
        self.assertEqual(states["evaluate"], f"failed   exit code 74, log {work / 'report.job' / 'evaluate-105_2.log'}")
        self.assertIn("ended without an exit code", states["merge"])
        (absolute / "run.job" / "ended").write_text("103\t0\n")  # stopped early; the next job was cancelled
        self.assertIn("ended without an exit code", self.states()["pretrain"])
        # Submitted again: what is made stays.
        self.pipeline()
        self.assertEqual(self.submitted()[6:], ["pack.sh", "pretrain.sh", "pretrain.2.sh", "evaluate.sh",
                                                "evaluate-merge.sh"])
        self.assertEqual(self.waits_for()[6:], [None, ":107", ":108", ":109", ":110"])


class Local(PipelineTest):
    def test_a_signal_is_passed_on_and_its_end_waited_for(self):
        self.pretend("local")
        self.write(STAGES.format(scheduler="local", steps=3))
        self.codes.write_text("wait\n0\n0\n0\n")
        process = self.start_script(JOBS / "pipeline.sh", "pipeline.cfg")
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=30)[1].decode()
        self.assertEqual(process.returncode, 75, said)
        self.assertIn("got USR1", self.calls())
        self.assertIn("'tokenizer' ended with exit code 75", said)
        self.assertEqual(len(self.calls("chainrule")), 1, "no stage comes after it")

    def test_ctrl_c_saves_and_stops(self):
        self.pretend("local")
        self.write(STAGES.format(scheduler="local", steps=3))
        self.stand_in("mpirun", MPIRUN_IN_A_TERMINAL)
        process = self.start_script(JOBS / "pipeline.sh", "pipeline.cfg", start_new_session=True)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it, to all in the foreground
        said = process.communicate(timeout=30)[1].decode()
        self.assertEqual(process.returncode, 75, said)

    def test_a_pipeline_fails_goes_on_and_makes_the_report_of_one_run(self):
        self.env["CHAINRULE"] = PROGRAM
        (self.folder / "the text").mkdir()
        for number in range(20):
            (self.folder / "the text" / f"{number}.txt").write_text(f"The {number}th text is of itself. " * 40)
        self.write(STAGES.format(scheduler="local", steps="none"))
        done = self.pipeline(check=64)
        self.assertIn("'pretrain' ended with exit code 64", done.err)
        states = self.states()
        self.assertEqual([states[stage].split()[0] for stage in ("tokenizer", "pack", "pretrain", "evaluate")],
                         ["done", "done", "failed", "not"])
        self.assertIn("exit code 64, log ", states["pretrain"])
        log = pathlib.Path(states["pretrain"].split(", log ")[1])
        self.assertIn("--steps", (self.folder / log).read_text())

        self.write(STAGES.format(scheduler="local", steps=6))
        self.pipeline()
        self.assertEqual({state.split()[0] for state in self.states().values()}, {"done"})
        work = self.folder / "work"
        chainrule("evaluate", "--model", work / "run", "--data", work / "data" / "held-out", "--report",
                  self.folder / "one", check=0)
        for name in ("report.json", "documents.csv"):
            self.assertEqual((work / "report" / name).read_bytes(), (self.folder / "one" / name).read_bytes(), name)

        before = sorted(self.folder.rglob("*"))
        self.assertIn("everything is made", self.pipeline().out)
        self.assertEqual(sorted(self.folder.rglob("*")), before)

        with (work / "pipeline.lock").open() as lock:  # as one that is at work holds it
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertIn("is at work in 'work'", self.pipeline(check=73).err)
        later = time.time() + 10
        os.utime(work / "run" / "checkpoints", (later, later))
        self.assertIn("outdated work/report, made before 'work/run' changed", self.states()["evaluate"])
        self.assertIn("evaluate: 'work/report' was made before 'work/run' changed", self.pipeline(check=73).err)


if __name__ == "__main__":
    unittest.main()
