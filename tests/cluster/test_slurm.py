"""Jobs of jobs/submit.sh on a real Slurm of two nodes: stopped, requeued, preempted, killed, chained and in parts."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

from failing_calls import failing
from pretraining import PretrainTest
from program import PROGRAM, SOURCE, chainrule
from slurm import Slurm
from text_model import corpus

STEPS = 220
FINISHED = ("COMPLETED",)


class SlurmTest(PretrainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.slurm = cls.enterClassContext(Slurm())
        cls.whole = cls.fixture / "whole"
        chainrule("pretrain", "--data", cls.fixture / "pair", "--run", cls.whole, *cls.training(), check=0)

    @classmethod
    def training(cls):
        return ["--model", "tiny", "--width", 128, "--sequence-length", 16, "--micro-batch", 2, "--global-batch", 16,
                "--steps", STEPS, "--checkpoint-every", 20, "--log-every", 10]

    def setUp(self):
        super().setUp()
        # A step's line in metrics.jsonl takes a third of a second, so that there is time to stop a run in its middle:
        # as long as this library is there.
        self.brake = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="brake-"))) / "brake.so"
        self.slowly = failing("write:metrics.jsonl$:PAUSE:always")
        shutil.copy(self.slowly["LD_PRELOAD"], self.brake)
        self.slowly["LD_PRELOAD"] = str(self.brake)

    def submit(self, command, *options, nodes=2, ranks=1, env=None, check=0):
        """Ids of the jobs that submit.sh submitted for a chainrule command."""
        done = subprocess.run([SOURCE / "jobs/submit.sh", "--scheduler", "slurm", "--nodes", str(nodes),
                               "--ranks-per-node", str(ranks), "--threads", "1", *map(str, options), "--",
                               *map(str, command)], env={**self.slurm.environment, "CHAINRULE": PROGRAM, **(env or {})},
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, check, done.stdout + done.stderr)
        return re.findall(r"^submitted job (\d+)", done.stdout, re.MULTILINE)

    def pretrain(self, *options, slowly=True, **more):
        command = ["pretrain", "--data", self.fixture / "pair", "--run", self.run_folder, *self.training()]
        return self.submit(command, *options, env=self.slowly if slowly else None, **more)

    def logs(self):
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.job/*.log")))

    def wait_for_steps(self, steps, seconds=60):
        def reached():
            try:
                return len((self.run_folder / "metrics.jsonl").read_text().splitlines()) >= steps
            except FileNotFoundError:
                return False
        self.slurm.wait_until(reached, f"step {steps}:\n{self.logs()}", seconds)

    def wait_for_job(self, number, *states, **more):
        try:
            return self.slurm.wait_for_job(number, *states, **more)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None

    def finish_fast(self, number):
        """What is left of a run that goes on."""
        self.brake.unlink()
        return self.wait_for_job(number, *FINISHED)

    def assert_same_run(self):
        self.assertEqual(self.weights_hash(), self.weights_hash(self.whole))
        self.assertEqual([line["loss"] for line in self.metrics()], [line["loss"] for line in self.metrics(self.whole)])

    def ranks(self):
        """Process ids of this run's ranks."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].decode().endswith("/chainrule") and str(self.run_folder).encode() in words:
                found.append(int(folder.name))
        return found

    def test_the_wall_time_requeues(self):
        # Slurm looks at the time twice a minute, and warns at its last look before: after half a minute to one.
        (job,) = self.pretrain("--time", 2, "--warning", 59)
        self.wait_for_steps(5)
        self.slurm.wait_until(lambda: self.slurm.job(job).get("Restarts") == "1", f"a requeue:\n{self.logs()}", 90)
        stopped = len(self.metrics())
        self.assertLess(stopped, STEPS)
        self.finish_fast(job)
        self.assertIn("requeueing", self.logs())
        self.assertIn(f"going on from step {stopped}", self.logs())
        self.assertIn(f"job     Slurm {job} (pretrain)", self.logs())
        self.assert_same_run()

    def test_cancelled_then_submitted_again(self):
        (job,) = self.pretrain()
        self.wait_for_steps(30)
        self.slurm.say("scancel", job)
        self.wait_for_job(job, "CANCELLED")
        self.slurm.wait_until(lambda: not self.ranks(), "ranks to end")
        self.assertLess(len(self.metrics()), STEPS)
        (job,) = self.pretrain(slowly=False)
        self.wait_for_job(job, *FINISHED)
        self.assertRegex(self.logs(), "going on from step [2-9]")
        self.assert_same_run()

    def test_a_killed_rank(self):
        (job,) = self.pretrain()
        self.wait_for_steps(25)
        killed = time.monotonic()
        os.kill(max(self.ranks()), signal.SIGKILL)
        ended = self.wait_for_job(job, "FAILED")
        self.assertLess(time.monotonic() - killed, 30)
        self.assertEqual(ended["Restarts"], "0", "what fails is not begun again")
        self.slurm.wait_until(lambda: not self.ranks(), "ranks to end")
        (job,) = self.pretrain(slowly=False)
        self.wait_for_job(job, *FINISHED)
        self.assertIn("going on from step 20", self.logs())
        self.assert_same_run()

    def test_requeued_by_an_administrator(self):
        (job,) = self.pretrain()
        self.wait_for_steps(10)
        self.slurm.say("scontrol", "requeue", job)
        self.slurm.wait_until(lambda: self.slurm.job(job).get("Restarts") == "1", "a requeue")
        self.finish_fast(job)
        self.assertIn("going on from step", self.logs())
        self.assert_same_run()

    def test_preempted_by_a_higher_partition(self):
        (low,) = self.pretrain()
        self.wait_for_steps(10)
        (high,) = self.submit(["evaluate", "--model", self.whole, "--data", self.fixture / "pair/held-out", "--report",
                               self.folder / "urgent"], "--partition", "urgent", "--option", "--exclusive")
        self.wait_for_job(high, *FINISHED)
        self.assertEqual(self.slurm.job(low)["Restarts"], "1")
        self.finish_fast(low)
        self.assert_same_run()

    def test_a_chain(self):
        first, second, third = self.pretrain("--chain", 2)
        self.wait_for_steps(10)
        self.assertEqual(self.slurm.job(second)["Reason"], "Dependency")
        self.slurm.say("scancel", "--signal=USR1", "--batch", first)
        self.wait_for_job(first, *FINISHED)
        self.assertLess(len(self.metrics()), STEPS)
        self.finish_fast(second)
        begun = time.monotonic()
        self.wait_for_job(third, *FINISHED)
        self.assertLess(time.monotonic() - begun, 30, "nothing was left to do")
        self.assertIn("the next job of the chain goes on", self.logs())
        self.assertRegex(self.logs(), "the run '.*' is finished")
        self.assert_same_run()

    def test_a_drained_node_then_fewer_ranks(self):
        (job,) = self.pretrain()
        self.wait_for_steps(10)
        self.slurm.say("scontrol", "update", "NodeName=n2", "State=DRAIN", "Reason=test")
        try:
            self.slurm.say("scancel", "--signal=USR1", "--batch", job)
            self.slurm.wait_until(lambda: self.slurm.job(job).get("Restarts") == "1", f"a requeue:\n{self.logs()}")
            self.slurm.say("scontrol", "update", f"JobId={job}", "StartTime=now")
            time.sleep(2)
            self.assertEqual(self.slurm.job(job)["JobState"], "PENDING", "one node is too few")
            self.slurm.say("scancel", job)
            (job,) = self.pretrain(nodes=1, slowly=False)
            self.wait_for_job(job, *FINISHED)
        finally:
            self.slurm.say("scontrol", "update", "NodeName=n2", "State=RESUME")
        self.assertIn("1 x 1 thread", self.logs())
        self.assert_same_run()

    def test_an_array_of_which_a_part_fails(self):
        command = ["evaluate", "--model", self.whole, "--data", self.fixture / "pair/held-out", "--report",
                   self.folder / "parts", "--stride", 4, "--micro-batch", 2]
        chainrule(*command[:5], "--report", self.folder / "once", *command[7:], check=0)
        (self.folder / "parts.part-2-of-4.journal").mkdir()  # in the way
        array, merge = self.submit(command, "--array", 4, nodes=1)
        self.wait_for_job(f"{array}_2", "FAILED")
        self.wait_for_job(merge, "CANCELLED")
        for part in (1, 3, 4):
            self.wait_for_job(f"{array}_{part}", *FINISHED)
        self.assertFalse((self.folder / "parts").exists())
        (self.folder / "parts.part-2-of-4.journal").rmdir()
        array, merge = self.submit(command, "--array", 4, nodes=1)
        self.wait_for_job(merge, *FINISHED)
        self.assertEqual(len(re.findall("part [134] of 4 is there already", self.logs())), 3)
        for name in ("report.json", "documents.csv"):
            self.assertEqual((self.folder / "parts" / name).read_bytes(), (self.folder / "once" / name).read_bytes())

    def pipeline(self, file, *options):
        done = subprocess.run([SOURCE / "jobs/pipeline.sh", file, *options], env={**self.slurm.environment, "CHAINRULE": PROGRAM},
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_a_pipeline(self):
        text = self.folder / "text"
        text.mkdir()
        for part in range(12):
            (text / f"{part}.txt").write_text(corpus(60, part), encoding="utf-8")
        file = self.folder / "pipeline.cfg"
        file.write_text(f"""work = {self.folder}/work
scheduler = slurm
threads = 1
time = 5
[tokenizer]
options = --input '{text}' --vocabulary-size 300
[pack]
nodes = 2
ranks-per-node = 1
options = --input '{text}' --held-out 0.2
[pretrain]
nodes = 2
ranks-per-node = 1
chain = 1
options = --model tiny --sequence-length 32 --micro-batch 2 --global-batch 8 --steps 20 --checkpoint-every 10
[evaluate]
ranks-per-node = 1
array = 2
""")
        self.assertNotIn("done", self.pipeline(file, "--status"))
        jobs = re.findall(r"submitted job (\d+)", self.pipeline(file))
        self.assertEqual(len(jobs), 6, "tokenizer, pack, two of the chain, the array, merge")
        self.assertRegex(self.pipeline(file, "--status"), "waiting")
        self.wait_for_job(jobs[-1], *FINISHED, seconds=180)
        status = self.pipeline(file, "--status")
        self.assertEqual(status.count("done"), 5, status)
        self.assertTrue((self.folder / "work/report/report.json").exists())
        self.assertEqual(re.findall(r"submitted job", self.pipeline(file)), [], "nothing is left to do")
        chainrule("evaluate", "--model", self.folder / "work/run", "--data", self.folder / "work/data/held-out", "--report",
                  self.folder / "once", check=0)
        self.assertEqual((self.folder / "work/report/report.json").read_bytes(),
                         (self.folder / "once/report.json").read_bytes())
