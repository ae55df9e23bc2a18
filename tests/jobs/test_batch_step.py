"""jobs/batch_step.sh and the job scripts around it: how ranks are started, what exit codes and signals lead to."""
import os
import shlex
import signal
import time
import unittest

from schedulers import JOBS, SchedulerTest

# What schedulers set in a job.
SLURM = {"SLURM_JOB_ID": "31", "SLURM_CPUS_PER_TASK": "8", "SLURM_JOB_NODELIST": "n[1-2]"}
PBS = {"PBS_JOBID": "32.server", "PBS_NODEFILE": "/nodes"}
LSF = {"LSB_JOBID": "33", "LSB_JOBINDEX": "0", "LSB_DJOB_HOSTFILE": "/hosts"}
JOBS_OF = {"slurm": SLURM, "pbs": PBS, "lsf": LSF, "flux": {}, "local": {}}


class BatchStep(SchedulerTest):
    def write_script(self, scheduler, *lines, command="pretrain --run run", asked="nodes=2 ranks_per_node=4 threads=8"):
        self.pretend(scheduler)
        script = self.folder / "job.sh"
        script.write_text("\n".join([
            f"scheduler={scheduler} {asked}", "job_folder=$PWD", "job_script=$PWD/job.sh", *lines,
            f". {shlex.quote(str(JOBS))}/batch_step.sh", f'batch_step "$CHAINRULE" {command}', ""]))
        return script

    def run_job(self, scheduler, code, *lines, check=None, env=None, **more):
        self.recorded.unlink(missing_ok=True)
        self.codes.write_text(f"{code}\n")
        script = self.write_script(scheduler, *lines, **more)
        return self.run_script("bash", script, check=code if check is None else check,
                               env={**JOBS_OF[scheduler], **(env or {})})

    def test_ranks_and_their_threads_are_started_bound(self):
        program = str(self.program).replace(" ", "\\ ").replace("'", "\\'")
        hybrid = "--map-by ppr:4:node:PE=8 --bind-to core"
        for scheduler, launcher, started in (
            ("slurm", "srun", f"srun --mpi=pmix --kill-on-bad-exit=1 --cpu-bind=cores {program} pretrain --run run"),
            ("pbs", "mpirun", f"mpirun -n 8 --hostfile /nodes {hybrid} {program} pretrain --run run"),
            ("lsf", "mpirun", f"mpirun -n 8 --hostfile /hosts {hybrid} {program} pretrain --run run"),
            ("flux", "flux", f"flux run -N 2 -n 8 -c 8 -o cpu-affinity=per-task --signal=USR1@180s {program} pretrain "
                             "--run run"),
        ):
            with self.subTest(scheduler):
                self.run_job(scheduler, 0, "time_seconds=3600 warning_seconds=180")
                self.assertEqual([line for line in self.calls(launcher) if "chainrule" in line], [started])
                self.assertEqual(self.calls("threads"), ["threads 8"])

    def test_only_exit_code_75_brings_the_job_back(self):
        back = {"slurm": ["scontrol requeue 31"], "lsf": [], "pbs": ["qsub -V"], "flux": ["flux --parent batch"]}
        for scheduler, expected in back.items():
            for code in (0, 65, 74, 137, 75):
                with self.subTest(scheduler, code=code):
                    self.run_job(scheduler, code)
                    calls = [call for call in self.calls()
                             if call.startswith(("scontrol requeue", "qsub", "flux --parent"))]
                    if scheduler in ("pbs", "flux"):  # without the script's path
                        calls = [call.replace("\\ ", "_").rsplit(" ", 1)[0] for call in calls]
                    self.assertEqual(calls, expected if code == 75 else [])

    def test_in_a_chain_the_next_job_goes_on_and_the_last_says_75(self):
        for scheduler in JOBS_OF:
            with self.subTest(scheduler):
                self.run_job(scheduler, 75, "on_stop=next", check=0)
                self.assertEqual([call for call in self.calls("scontrol", "qsub") if "show" not in call], [])
                self.run_job(scheduler, 65, "on_stop=next", check=65)
                self.run_job(scheduler, 75, "on_stop=end", check=75)
                self.assertEqual([call for call in self.calls("scontrol", "qsub") if "show" not in call], [])

    def test_parts_of_an_array_are_the_jobs_index(self):
        for scheduler, env in (("slurm", {"SLURM_ARRAY_JOB_ID": "31", "SLURM_ARRAY_TASK_ID": "3"}),
                               ("pbs", {"PBS_ARRAY_INDEX": "3"}), ("lsf", {"LSB_JOBINDEX": "3"}),
                               ("flux", {"CHAINRULE_PART": "3"})):
            with self.subTest(scheduler):
                done = self.run_job(scheduler, 75, "parts=4", env=env, command="evaluate --report r")
                self.assertEqual(self.calls("chainrule"), ["chainrule evaluate --report r --part 3/4"])
                if scheduler == "slurm":
                    self.assertIn("scontrol requeue 31_3", self.calls("scontrol"))
                elif scheduler in ("pbs", "flux"):
                    self.assertIn("submit it again", done.err)

    def test_what_is_made_already_is_left_alone_by_a_job_that_continues(self):
        for protocol, name in (("packed", "report.json"), ("all", "protocols.json")):
            command = f"evaluate --report=r-{protocol}/ --protocol {protocol}"
            (self.folder / f"r-{protocol}").mkdir()
            (self.folder / f"r-{protocol}" / name).write_text("")
            done = self.run_job("slurm", 65, "continues=yes", "job_folder=", check=0, command=command)
            self.assertIn(f"'r-{protocol}/{name}' is there already", done.err)
            self.assertEqual(self.calls("chainrule"), [])
            self.run_job("slurm", 65, command=command)  # the program itself refuses then
            self.assertEqual(len(self.calls("chainrule")), 1)
            self.recorded.unlink()

    def test_what_another_command_made_is_not_taken_for_its_own(self):
        (self.folder / "r").mkdir()
        (self.folder / "r" / "report.json").write_text("")
        (self.folder / "r.job").mkdir()
        lines = ("continues=yes", "job_folder=r.job", "made_line='evaluate --report r'")
        (self.folder / "r.job" / "made").write_text("evaluate --report r --protocol packed\n")
        self.run_job("slurm", 65, *lines, command="evaluate --report r")
        self.assertEqual(len(self.calls("chainrule")), 1, "which refuses")
        self.run_job("slurm", 0, *lines, command="evaluate --report r")
        self.assertIn("evaluate --report r\n", (self.folder / "r.job" / "made").read_text())
        self.recorded.unlink()
        self.run_job("slurm", 65, *lines, check=0, command="evaluate --report r")
        self.assertEqual(self.calls("chainrule"), [])

    def test_the_warning_reaches_the_ranks_and_the_job_comes_back(self):
        for scheduler, back in (("slurm", "scontrol requeue 31"), ("pbs", "qsub -V"), ("lsf", None),
                                ("flux", "flux --parent batch")):
            with self.subTest(scheduler):
                code, calls = self.signalled(scheduler, signal.SIGUSR1)
                self.assertEqual(code, 75)
                self.assertIn("got USR1", calls)
                if back:
                    self.assertEqual(len([call for call in calls if call.startswith(back)]), 1, calls)

    def signalled(self, scheduler, *signals, env=None, lines=()):
        """Sends signals while the program runs; returns the exit code and what was called."""
        self.recorded.unlink(missing_ok=True)
        self.codes.with_name("codes.waits").unlink(missing_ok=True)
        self.codes.write_text("wait\n")
        script = self.write_script(scheduler, *lines)
        process = self.start_script("bash", script, env={**JOBS_OF[scheduler], **(env or {})})
        try:
            for number in signals:
                os.kill(process.pid, number)
                time.sleep(0.1)
            process.communicate(timeout=30)
        finally:
            process.kill()
            process.communicate()
        return process.returncode, self.calls()

    def test_a_cancelled_job_saves_and_does_not_come_back(self):
        for scheduler in ("pbs", "lsf", "flux"):
            with self.subTest(scheduler):
                code, calls = self.signalled(scheduler, signal.SIGTERM)
                self.assertEqual(code, 75)
                self.assertIn("got USR1", calls)
                self.assertEqual([call for call in calls if call.startswith(("qsub", "flux --parent"))], [])
        # Slurm tells the step itself; here the warning stands for that.
        code, calls = self.signalled("slurm", signal.SIGTERM, signal.SIGUSR1)
        self.assertEqual((code, [call for call in calls if "requeue" in call]), (75, []))

    def test_pbs_is_warned_by_an_alarm_of_the_script(self):
        code, calls = self.signalled("pbs", lines=["time_seconds=12 warning_seconds=11"])
        self.assertEqual((code, "got USR1" in calls), (75, True))
        started = time.monotonic()
        self.run_job("pbs", 0, "time_seconds=3600 warning_seconds=10")
        self.assertLess(time.monotonic() - started, 10)  # the alarm ends with the job

    def test_a_local_job_heeds_its_time_limit_at_each_start(self):
        self.codes.write_text("wait\nwait\n0\n")
        script = self.write_script("local", "time_seconds=12 warning_seconds=11 again=2")
        done = self.run_script("bash", script)
        self.assertEqual(self.calls().count("got USR1"), 2)
        self.assertEqual(len(self.calls("chainrule")), 3)
        self.assertIn("the time is nearly up", done.err)

    def test_nodes_that_failed_are_left_out_the_next_time(self):
        env = {"FAILED_NODES": "n2", "BEFORE": "n9"}
        self.run_job("slurm", 75, env=env)
        calls = self.calls("scontrol", "sinfo")
        self.assertIn("sinfo --noheader --Node --nodes=n\\[1-2\\] --states=down\\,fail --format=%N", calls)
        self.assertIn("scontrol update JobId=31 ExcNodeList=n9\\,n2", calls)
        self.assertLess(calls.index("scontrol requeue 31"), calls.index("scontrol update JobId=31 ExcNodeList=n9\\,n2"))
        self.run_job("slurm", 75)
        self.assertEqual([call for call in self.calls("scontrol") if "update" in call], [])
        # Slurm itself requeues where a node fails, and ends the script.
        self.assertIn("scontrol update JobId=31 ExcNodeList=n2",
                      self.signalled("slurm", signal.SIGTERM, signal.SIGUSR1, env={"FAILED_NODES": "n2"})[1])
        self.run_job("flux", 75, env=env)
        self.assertTrue([call for call in self.calls("flux")
                         if call.startswith("flux --parent batch --requires=-host:n2 ")])

    def test_what_becomes_of_a_job_is_written_down(self):
        self.run_job("slurm", 65)
        self.assertEqual((self.folder / "ended").read_text(), "31\t65\n")


class Scripts(SchedulerTest):
    """The scripts that people submit by hand."""
    COMMANDS = {
        "pretrain": "pretrain --config c --data d --run r",
        "evaluate": "evaluate --model m --data d --report p",
        "evaluate-array": "evaluate --model m --data d --report p --part 2/4",
        "merge": "report merge p.part-1-of-4 p.part-2-of-4 --report p",
        "pack": "pack --tokenizer t --input i --held-out 0.01 --output o",
        "requests": "evaluate --model m --requests q --output o",
    }
    VARIABLES = {"CONFIG": "c", "DATA": "d", "RUN": "r", "MODEL": "m", "REPORT": "p", "TOKENIZER": "t", "INPUT": "i",
                 "OUTPUT": "o", "REQUESTS": "q"}
    INDEX = {"slurm": {"SLURM_ARRAY_JOB_ID": "31", "SLURM_ARRAY_TASK_ID": "2"}, "pbs": {"PBS_ARRAY_INDEX": "2"},
             "lsf": {"LSB_JOBINDEX": "2"}, "flux": {"CHAINRULE_PART": "2"}}

    def test_each_runs_its_command(self):
        for part in (1, 2):
            (self.folder / f"p.part-{part}-of-4").write_text("")
        for scheduler, suffix in (("slurm", "sbatch"), ("pbs", "pbs"), ("lsf", "lsf"), ("flux", "flux")):
            self.pretend(scheduler)
            for name, command in self.COMMANDS.items():
                with self.subTest(scheduler, script=name):
                    self.recorded.unlink(missing_ok=True)
                    self.codes.write_text("0\n")
                    env = {**JOBS_OF[scheduler], **self.VARIABLES, "CHAINRULE_JOBS": str(JOBS),
                           "PBS_O_WORKDIR": str(self.folder)}
                    if name == "evaluate-array":
                        env.update(self.INDEX[scheduler])
                    self.run_script("bash", JOBS / scheduler / f"{name}.{suffix}", env=env)
                    self.assertEqual(self.calls("chainrule"), [f"chainrule {command}"])

    def test_each_names_what_it_lacks(self):
        for scheduler, suffix in (("slurm", "sbatch"), ("pbs", "pbs"), ("lsf", "lsf"), ("flux", "flux")):
            for name in self.COMMANDS:
                path = JOBS / scheduler / f"{name}.{suffix}"
                done = self.run_script("bash", path, check=64, env={"CHAINRULE_JOBS": str(JOBS), "PBS_O_WORKDIR": "."})
                self.assertRegex(done.err, "^job script: set( [A-Z]+)+ ", path)
                self.assertEqual(self.calls("chainrule"), [])
                done = self.run_script("bash", path, check=66, env={"CHAINRULE_JOBS": "/nowhere", "PBS_O_WORKDIR": "."})
                self.assertIn("/nowhere/batch_step.sh", done.err)


if __name__ == "__main__":
    unittest.main()
