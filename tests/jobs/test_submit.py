"""jobs/submit.sh: the scripts that it writes (golden files), how it submits them, what it refuses, and local runs."""
import pathlib
import re
import shlex
import shutil
import signal
import unittest

from schedulers import JOBS, RECORD, SchedulerTest

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
EVALUATE = ["evaluate", "--model", "run 1", "--data", "data", "--report", "report"]


class Submit(SchedulerTest):
    def test_scripts_of_an_array_with_a_chain_are_the_golden_ones(self):
        for scheduler in ("slurm", "pbs", "lsf", "flux"):
            done = self.submit("--scheduler", scheduler, "--nodes", 2, "--time", "1-02:30:00", "--array", 3,
                               "--chain", 1, "--after", 77, "--queue", "long", "--account", "physics",
                               "--option", "--own text",
                               "--dry-run", "--", *EVALUATE)
            said = done.out
            for path, name in ((shlex.quote(str(self.folder)), "FOLDER"), (self.folder, "FOLDER"), (JOBS, "JOBS")):
                said = said.replace(str(path), name)
            said = said.replace(self.bash_quoted(self.folder), "FOLDER").replace(self.bash_quoted(JOBS), "JOBS")
            golden = GOLDEN / f"array.{scheduler}.txt"
            self.assertEqual(said, golden.read_text(), golden.name)
            self.assertFalse((self.folder / "report.job").exists())

    @staticmethod
    def bash_quoted(path):
        return str(path).replace(" ", "\\ ").replace("'", "\\'")

    def test_a_script_runs_the_words_that_were_given(self):
        self.pretend("slurm")
        words = ["pretrain", "--run", "a run's $HOME", "--seed", "*", "--config", 'x"y\\z', "--name=", "ü\ttab"]
        self.submit("--", *words)
        script = self.folder / "a run's $HOME.job" / "pretrain.sh"
        self.run_script("bash", script, env={"SLURM_JOB_ID": "1", "SLURM_CPUS_PER_TASK": "2"})
        called = [line for line in self.calls("chainrule")]
        self.assertEqual([self.unquoted(line) for line in called], [["chainrule", *words]])

    @staticmethod
    def unquoted(line):
        return shlex.split(line.replace("$'", "'").replace("\\t", "\t")) if "$'" in line else shlex.split(line)

    def test_chains_and_merges_wait_for_what_is_before_them(self):
        expected = {
            "slurm": ["sbatch --parsable {0}",
                      "sbatch --parsable --dependency=afterok:101 --kill-on-invalid-dep=yes {1}",
                      "sbatch --parsable --dependency=afterok:102 --kill-on-invalid-dep=yes {2}"],
            "pbs": ["qsub {0}", "qsub -W depend=afterok:101.server {1}", "qsub -W depend=afterok:102.server {2}"],
            "lsf": ["bsub", r"bsub -w numdone\(101\,\*\) -ti", r"bsub -w numdone\(102\,\*\) -ti"],
            "flux": ["flux batch --env=CHAINRULE_PART=1 {0}", "flux batch --env=CHAINRULE_PART=2 {0}",
                     "flux batch --dependency=afterok:101 --dependency=afterok:102 --env=CHAINRULE_PART=1 {1}",
                     "flux batch --dependency=afterok:101 --dependency=afterok:102 --env=CHAINRULE_PART=2 {1}",
                     "flux batch --dependency=afterok:103 --dependency=afterok:104 {2}"],
        }
        job_folder = self.folder / "report.job"
        scripts = [self.bash_quoted(job_folder / f"{name}.sh") for name in ("evaluate", "evaluate.2", "evaluate-merge")]
        for scheduler, calls in expected.items():
            with self.subTest(scheduler):
                self.recorded.unlink(missing_ok=True)
                pathlib.Path(f"{self.recorded}.number").unlink(missing_ok=True)
                self.pretend(scheduler)
                done = self.submit("--scheduler", scheduler, "--array", 2, "--chain", 1, "--", *EVALUATE)
                said = [line for line in self.calls("sbatch", "qsub", "bsub", "flux") if "job id" not in line]
                self.assertEqual(said, [call.format(*scripts) for call in calls])
                last = 105 if scheduler == "flux" else 103
                server = ".server" if scheduler == "pbs" else ""
                self.assertIn(f"submitted job {last}{server}: evaluate-merge", done.out)
                self.assertIn("watch:", done.out)

    def test_links_of_a_chain_end_well_and_the_last_says_that_more_is_to_do(self):
        self.pretend("slurm")
        self.submit("--chain", 2, "--", "pretrain", "--run", "run")
        on_stop = [(self.folder / "run.job" / f"{name}.sh").read_text().split("on_stop=")[1].split()[0]
                   for name in ("pretrain", "pretrain.2", "pretrain.3")]
        self.assertEqual(on_stop, ["next", "next", "end"])

    def test_auto_takes_the_scheduler_that_is_there(self):
        self.env["PATH"] = str(self.commands)
        for tool in ("bash", "dirname", "readlink", "cat", "env", "sed", "basename", "mkdir", "seq", "grep", "tr"):
            (self.commands / tool).symlink_to(f"/usr/bin/{tool}")
        self.assertIn("no scheduler", self.submit("--", *EVALUATE, check=69).err)
        self.pretend("pbs")
        self.assertIn("#PBS", self.submit("--dry-run", "--", *EVALUATE).out)
        self.pretend("slurm")
        self.assertIn("#SBATCH", self.submit("--dry-run", "--", *EVALUATE).out)

    def test_refusals(self):
        for words, code, message in (
            ((), 64, "no command"),
            (("--nodes", "2"), 64, "no command"),
            (("--nodes", "0", "--", *EVALUATE), 64, "option '--nodes' is '0'"),
            (("--threads", "1e3", "--", *EVALUATE), 64, "option '--threads' is '1e3'"),
            (("--time", "90:00", "--", *EVALUATE), 64, "option '--time' is '90:00'"),
            (("--array", "1", "--", *EVALUATE), 64, "option '--array' is '1'"),
            (("--array", "4", "--", "pretrain", "--run", "r"), 64, "'--array' goes with evaluate --report"),
            (("--array", "4", "--", *EVALUATE, "--part", "1/4"), 64, "'--array' makes --part itself"),
            (("--chian", "4", "--", *EVALUATE), 64, "unknown option '--chian'"),
            (("--chain", "--", *EVALUATE), 64, "option '--chain' lacks its value"),
            (("--scheduler", "sge", "--", *EVALUATE), 64, "'--scheduler' is 'sge'"),
            (("--scheduler", "slurm", "--nodes", "2", "--", "tokenizer", "train"), 64, "'tokenizer' runs on one rank"),
            (("--scheduler", "local", "--nodes", "2", "--", *EVALUATE), 64, "there is one node here"),
            (("--scheduler", "local", "--after", "2", "--", *EVALUATE), 64, "nothing waits here"),
            (("evaluate",), 64, "'evaluate': the command comes behind --"),
            (("--scheduler", "slurm", "--", "evaluate", "--config", "e.cfg"), 64, "say --run, --report or --output here"),
            (("--scheduler", "slurm", "--time", "0", "--", *EVALUATE), 64, "'--time' is no time"),
            (("--scheduler", "pbs", "--time", "2", "--", *EVALUATE), 64, "'--warning' is 180 seconds"),
            (("--scheduler", "slurm", "--time", "4", "--", *EVALUATE), 64, "which Slurm may send a minute early"),
            (("--scheduler", "slurm", "--queue", "a\nb", "--", *EVALUATE), 64, "a line break in --queue"),
        ):
            with self.subTest(words):
                done = self.submit(*words, check=code)
                self.assertIn("submit.sh: ", done.err)
                self.assertIn(message, done.err)
        self.pretend("slurm")
        self.stand_in("sbatch", "#!/bin/sh\necho 'bad partition' >&2\nexit 1\n")
        done = self.submit("--", *EVALUATE, check=69)
        self.assertIn("bad partition", done.err)
        self.assertIn("'sbatch' refused job 'evaluate'", done.err)

    def test_what_is_made_is_not_made_again_and_not_taken_for_another_commands(self):
        self.pretend("slurm")
        self.submit("--", *EVALUATE)
        (self.folder / "report").mkdir()
        (self.folder / "report" / "report.json").write_text("{}")
        self.assertIn("no job of this command made it", self.submit("--", *EVALUATE, check=73).err)
        shutil.copy(self.folder / "report.job" / "command", self.folder / "report.job" / "made")  # as a job does
        self.assertIn("nothing is left to do", self.submit("--", *EVALUATE).out)
        self.assertIn("no job of this command made it", self.submit("--", *EVALUATE, "--token-nll", check=73).err)
        (self.folder / "run 1" / "checkpoints").mkdir(parents=True)
        self.assertIn("made before 'run 1' changed", self.submit("--", *EVALUATE, check=73).err)
        self.assertEqual(len(self.calls("sbatch")), 1)

    def test_jobs_of_another_command_for_the_same_are_waited_for(self):
        self.pretend("slurm")
        states = pathlib.Path(f"{self.recorded}.states")
        states.write_text("PENDING\n")
        self.submit("--", *EVALUATE)
        done = self.submit("--", *EVALUATE, "--protocol", "packed", check=73)
        self.assertIn("job 101 (evaluate) of another command", done.err)
        states.unlink()
        self.submit("--", *EVALUATE, "--protocol", "packed")
        self.assertEqual(len(self.calls("sbatch")), 2)

    def test_what_belongs_to_the_report_is_of_the_merge(self):
        done = self.submit("--scheduler", "slurm", "--array", 2, "--dry-run", "--", *EVALUATE, "--token-nll", "--write",
                           "lm-eval", "--write=every-eval-ever", "--protocol", "lm-eval")
        part, merge = [line for line in done.out.splitlines() if line.startswith("batch_step ")]
        self.assertTrue(part.endswith("--report report --protocol lm-eval"), part)
        self.assertTrue(merge.endswith("--report report --token-nll --write lm-eval --write=every-eval-ever"), merge)
        self.assertIn("takes one --protocol", self.submit("--scheduler", "slurm", "--array", 2, "--", *EVALUATE, "--protocol",
                                                          "all", check=64).err)

    def test_a_chain_that_ends_in_the_middle_is_taken_back(self):
        self.pretend("slurm")
        self.stand_in("scancel", RECORD)
        jobs = self.folder / "report.job"
        submitted = shlex.quote(str(jobs / "submitted"))
        for second, code, message, taken_back in (
            ("exit 1", 69, "'sbatch' refused job 'evaluate.2'", "101"),
            ("exit 0", 69, "cannot tell the job's id", "101"),
            (f"echo 102; rm {submitted}; mkdir {submitted}; exit", 73, "report.job/submitted'", "101 102"),
            ('kill -TERM $(cut -d " " -f 4 /proc/$PPID/stat); exit 1', -signal.SIGTERM, "", "101"),
        ):
            with self.subTest(second):
                self.recorded.unlink(missing_ok=True)
                shutil.rmtree(jobs, ignore_errors=True)
                self.stand_in("sbatch", RECORD + f'case "$*" in *evaluate.2.sh) {second} ;; esac\necho 101\n')
                done = self.submit("--chain", 2, "--", *EVALUATE, check=code)
                self.assertIn(message, done.err)
                self.assertIn(f"taking back jobs {taken_back}\n", done.err)
                self.assertEqual(self.calls("scancel"), [f"scancel {taken_back}"])

    def test_local_goes_on_after_75_as_often_as_it_may(self):
        self.stand_in("mpirun", (self.commands / "chainrule").read_text().split("\n", 1)[0] + "\n"
                      'while [ "$(basename "$1")" != chainrule ]; do shift; done\nexec "$@"\n')
        for codes, chain, code, runs in (("75 75 0", 2, 0, 3), ("75 75 0", 1, 75, 2), ("75 65", 5, 65, 2),
                                         ("75", 0, 75, 1)):
            with self.subTest(codes=codes, chain=chain):
                self.recorded.unlink(missing_ok=True)
                self.codes.write_text(codes.replace(" ", "\n") + "\n")
                self.submit("--scheduler", "local", "--chain", chain, "--", "pretrain", "--run", "run", check=code)
                self.assertEqual(len(self.calls("chainrule")), runs)

    def test_local_arrays_end_with_the_code_of_the_part_that_failed_and_merge_nothing_then(self):
        self.stand_in("mpirun", '#!/usr/bin/env bash\nwhile [ "$(basename "$1")" != chainrule ]; do shift; done\n'
                      'case "$*" in *"--part 2/3"*) exit 74 ;; esac\nexec "$@"\n')
        self.codes.write_text("0\n0\n0\n")
        done = self.submit("--scheduler", "local", "--threads", 1, "--array", 3, "--", *EVALUATE, check=74)
        log = re.search("part 2 of 3 ended with exit code 74: log in (.*)", done.err)
        self.assertTrue(pathlib.Path(self.folder / log.group(1)).exists(), done.err)
        self.assertEqual([call for call in self.calls("chainrule") if "merge" in call], [])
        self.assertEqual(len(self.calls("chainrule")), 2)


if __name__ == "__main__":
    unittest.main()
