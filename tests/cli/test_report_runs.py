"""`chainrule report runs`: what the files of runs say, however they were left."""
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import time

from failing_calls import failing
from pretraining import SHAPE, PretrainTest
from program import chainrule


class ReportRuns(PretrainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = cls.fixture / "made"
        chainrule("pretrain", "--data", cls.fixture / "pair", "--run", cls.made, *SHAPE, "--micro-batch", 2,
                  "--global-batch", 16, "--steps", 6, "--checkpoint-every", 2, "--keep-checkpoints", 3, check=0)

    def setUp(self):
        super().setUp()
        self.runs = self.folder / "runs"
        self.runs.mkdir()
        self.run_folder = self.runs / "a"

    def copy_run(self, name="a", up_to=None):
        """A finished run of six steps, or one that was killed after step up_to + 1."""
        self.run_folder = self.runs / name
        shutil.copytree(self.made, self.run_folder)
        if up_to is not None:
            self.keep_checkpoints_up_to(up_to)
            self.write_metrics(self.lines()[:up_to + 1])
        return self.run_folder

    def lines(self):
        return (self.run_folder / "metrics.jsonl").read_text().splitlines(keepends=True)

    def write_metrics(self, lines, more=b""):
        (self.run_folder / "metrics.jsonl").write_bytes("".join(lines).encode() + more)

    def submit(self, *jobs, ended=(), run="a", command="pretrain --data d"):
        folder = self.runs / f"{run}.job"
        folder.mkdir(exist_ok=True)
        (folder / "command").write_text(command + "\n")
        (folder / "submitted").write_text("".join("\t".join(job) + "\n" for job in jobs))
        if ended:
            (folder / "ended").write_text("".join("\t".join(job) + "\n" for job in ended))

    def report(self, *folders, env=None):
        done = chainrule("report", "runs", *(folders or [self.runs]), "--json", check=0, env=env)
        self.assertEqual(done.err, "")
        return json.loads(done.out)["runs"]

    def only(self, state, env=None):
        (run,) = self.report(env=env)
        self.assertEqual(run["state"], state, run)
        return run

    def text(self, *more):
        return chainrule("report", "runs", self.runs, *more, check=0).out


class States(ReportRuns):
    def test_none(self):
        (self.runs / "data").mkdir()
        (self.runs / "metrics.jsonl").write_text("")
        self.assertEqual(self.report(), [])
        self.assertEqual(self.text(), "there are no runs\n")

    def test_finished(self):
        self.copy_run()
        run = self.only("finished")
        metrics = self.metrics()
        self.assertEqual((run["step"], run["last_step"], run["checkpoint"]), (6, 6, 6))
        self.assertEqual(run["loss"], metrics[-1]["loss"])
        mean = len(metrics) / sum(1 / line["tokens_per_second"] for line in metrics)
        self.assertAlmostEqual(run["tokens_per_second"], mean, delta=1e-9 * mean)
        self.assertLess(run["seconds_since"], 120)
        self.assertNotIn("job", run)

    def test_stopped(self):
        self.copy_run(up_to=4)
        run = self.only("stopped")
        self.assertEqual((run["step"], run["checkpoint"], run["last_step"]), (5, 4, 6))
        self.assertIn("stopped at 4", self.text())
        self.assertIn("5 of 6", self.text())

    def test_without_a_checkpoint(self):
        self.copy_run(up_to=0)
        run = self.only("stopped")
        self.assertEqual(run["step"], 1)
        self.assertNotIn("checkpoint", run)
        self.assertIn("stopped at 0", self.text())

    def test_running_then_stopped(self):
        slowly = failing("write:metrics.jsonl$:PAUSE:always")
        process = self.start(ranks=2, steps=200, env={**os.environ, **slowly, "SLURM_JOB_ID": "4711"})
        self.wait_for_line(process, "training")
        self.wait_until(lambda: (self.run_folder / "metrics.jsonl").exists() and len(self.lines()) >= 5)
        run = self.only("running")
        self.assertGreaterEqual(run["step"], 5)
        self.assertLess(run["step"], 200)
        self.assertIn("process ", run["held_by"])
        self.assertEqual(run["job"], {"scheduler": "Slurm", "id": "4711"})
        self.assertIn("running on job 4711", self.text())
        self.assertLess(run["seconds_since"], 5)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.wait_until(lambda: self.report()[0]["state"] != "running")
        whole = [name for name in self.checkpoints() if not name.endswith(".partial")]  # it may have been killed in one
        self.assertEqual(self.only("stopped")["checkpoint"], int(whole[-1].removeprefix("step-")))

    def test_the_job_before_is_not_taken_for_the_one_that_starts(self):
        self.copy_run(up_to=4)
        environment = json.loads((self.run_folder / "environment.json").read_text())
        environment["starts"][-1]["job"] = {"scheduler": "Slurm", "id": "30"}
        (self.run_folder / "environment.json").write_text(json.dumps(environment))
        old = time.time() - 100
        os.utime(self.run_folder / "environment.json", (old, old))
        with self.locked():
            self.assertNotIn("job", self.only("running"))
            self.assertIn("running (process 1 on here)", self.text())
            (self.run_folder / "environment.json").touch()
            self.assertEqual(self.only("running")["job"]["id"], "30")
        self.assertNotIn("job", self.only("stopped"))

    def locked(self):
        """The lock as a run that begins takes it."""
        file = (self.run_folder / "lock").open("w")
        self.addCleanup(file.close)
        fcntl.fcntl(file, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))  # F_OFD_SETLK
        file.write("process 1 on here")
        file.flush()
        return file

    def test_asking_takes_no_lock(self):
        """Where the lock were taken to see whether it is free, a run that starts at that moment would be refused."""
        self.copy_run(up_to=4)
        self.only("stopped", env=failing("lock::ENOLCK:always"))
        before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in self.run_folder.rglob("*")}
        self.report()
        self.assertEqual({path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in self.run_folder.rglob("*")},
                         before)


class Jobs(ReportRuns):
    def test_waiting_before_the_run_is_there(self):
        self.submit(("slurm", "30", "pretrain"), ("slurm", "31", "pretrain.2"))
        run = self.only("waiting")
        self.assertEqual(run["job"], {"scheduler": "slurm", "id": "30"})
        self.assertEqual(run["run"], str(self.run_folder))
        self.assertIn("waiting for job 30", self.text())
        self.assertEqual(self.report(self.run_folder), [run])

    def test_waiting_for_the_next_of_a_chain(self):
        self.copy_run(up_to=4)
        self.submit(("slurm", "30", "pretrain"), ("slurm", "31", "pretrain.2"), ended=[("30", "0")])
        self.assertEqual(self.only("waiting")["job"]["id"], "31")

    def test_finished_while_links_wait(self):
        self.copy_run()
        self.submit(("slurm", "30", "pretrain"), ("slurm", "31", "pretrain.2"), ended=[("30", "0")])
        self.only("finished")

    def test_a_failed_link_ends_its_chain(self):
        self.copy_run(up_to=4)
        chain = [("slurm", "30", "pretrain"), ("slurm", "31", "pretrain.2")]
        self.submit(*chain, ended=[("30", "70")])
        self.assertEqual(self.only("stopped")["remark"], "job 30 ended with 70")
        self.submit(*chain, ("slurm", "40", "pretrain"), ended=[("30", "70")])
        self.assertEqual(self.only("waiting")["job"]["id"], "40")

    def test_all_ended(self):
        self.copy_run(up_to=4)
        self.submit(("pbs", "30.server", "pretrain"), ended=[("30.server", "75")])
        self.assertEqual(self.only("stopped")["remark"], "job 30.server ended with 75")

    def test_a_job_that_was_cut_short(self):
        self.copy_run(up_to=4)
        environment = json.loads((self.run_folder / "environment.json").read_text())
        environment["starts"][-1]["job"] = {"scheduler": "Slurm", "id": "30"}
        (self.run_folder / "environment.json").write_text(json.dumps(environment))
        self.submit(("slurm", "30", "pretrain"))
        self.assertIn("job 30 began", self.only("stopped")["remark"])

    def test_jobs_of_other_commands(self):
        self.submit(("slurm", "30", "evaluate"), command="evaluate --model m", run="report")
        self.assertEqual(self.report(), [])


class Damage(ReportRuns):
    def assert_damaged(self, *words, env=None):
        run = self.only("damaged", env=env)
        for word in words:
            self.assertIn(word, run["remark"])
        self.assertNotIn("\n", run["remark"])
        return run

    def test_configurations(self):
        for content, words in (("", "'steps' is missing"), ("steps = \n", "no number"), ("steps = 6x\n", "'6x'"),
                               ("steps = -1\n", "'-1'"), ("steps = 99999999999999999999\n", "no number of steps"),
                               ("steps\n", "line 1"), ("steps = \"\x1b[2J\n", "line 1"), ("steps = 3\n", "step 6 of 3")):
            with self.subTest(content):
                self.copy_run()
                (self.run_folder / "config.cfg").write_text(content)
                self.assert_damaged(words)
                shutil.rmtree(self.run_folder)

    def test_metrics(self):
        for content, words in ((b"{\n", "is not JSON"), (b"[1]\n", "is no object"), (b"{}\n", "'step'"), (b"\n", "JSON"),
                               (b'{"step": 1.5, "loss": 1, "tokens_per_second": 1}\n', "'step' is no step"),
                               (b'{"step": -1, "loss": 1, "tokens_per_second": 1}\n', "'step' is no step"),
                               (b'{"step": 1e300, "loss": 1, "tokens_per_second": 1}\n', "'step' is no step"),
                               (b'{"step": 7, "loss": 1, "tokens_per_second": 1}\n', "step 7 of 6"),
                               (b'{"step": 1, "loss": "x", "tokens_per_second": 1}\n', "'loss'"),
                               (b'{"step": 1, "loss": 1}\n', "'tokens_per_second'"),
                               (b"[" * 100_000 + b"\n", "no whole line in its last"), (b"\xff\x1b\n", "is not JSON"),
                               (b"[" * 10_000 + b"\n", "JSON"), (b"\0" * 70_000, "no whole line")):
            with self.subTest(content[:60]):
                self.copy_run()
                self.write_metrics([], content)
                run = self.assert_damaged("metrics.jsonl", words) if "step 7" not in words else self.assert_damaged(words)
                self.assertEqual(run["checkpoint"], 6)
                shutil.rmtree(self.run_folder)

    def test_a_line_that_is_being_written(self):
        self.copy_run(up_to=4)
        lines = self.lines()
        for cut in (0, 1, len(lines[-1]) - 1):
            self.write_metrics(lines[:4], lines[4][:cut].encode())
            self.assertEqual(self.only("stopped")["step"], 4)
        self.write_metrics([], lines[0][:-1].encode())
        self.assertNotIn("loss", self.only("stopped"))
        self.write_metrics([])
        self.assertNotIn("loss", self.only("stopped"))

    def test_only_the_end_of_a_long_log_is_read(self):
        self.copy_run(up_to=4)
        expected = self.only("stopped")
        last = "".join(self.lines())  # fewer than are asked for
        with (self.run_folder / "metrics.jsonl").open("wb") as log:
            log.truncate(1 << 40)  # a hole; nobody reads so much in time
            log.seek(1 << 40)
            log.write(b"\n" + last.encode())
        run = self.only("stopped")
        self.assertEqual((run["step"], run["loss"]), (expected["step"], expected["loss"]))
        more = "".join(json.dumps({"step": 1 + step % 4, "loss": 9.5, "tokens_per_second": 100 + step}) + "\n"
                       for step in range(3000))
        self.write_metrics([more, last])
        run = self.only("stopped")
        self.assertEqual((run["step"], run["loss"]), (expected["step"], expected["loss"]))
        rates = [line["tokens_per_second"] for line in self.metrics()[-10:]]
        self.assertAlmostEqual(run["tokens_per_second"], 10 / sum(1 / rate for rate in rates), delta=1e-6)

    def test_a_loss_that_is_not_finite(self):
        self.copy_run(up_to=4)
        self.write_metrics(['{"step": 5, "loss": null, "tokens_per_second": 10}\n'])
        self.assertIsNone(self.only("stopped")["loss"])
        self.assertIn("not finite", self.text())

    def test_checkpoints(self):
        self.copy_run()
        model = self.checkpoint(6) / "model.h5"
        content = model.read_bytes()
        model.write_bytes(content[:-1])
        self.assert_damaged("model.h5")
        model.write_bytes(content)
        self.only("finished")
        (self.checkpoint(6) / "manifest.json").unlink()
        self.assert_damaged("manifest.json")
        shutil.rmtree(self.run_folder / "checkpoints")
        (self.run_folder / "checkpoints").write_text("")
        self.assert_damaged("checkpoints")

    def test_starts(self):
        for content in ("", "[]", "{}", '{"starts": {}}', '{"starts": 1}', '{"starts": [1]}',
                        '{"starts": [{"job": {"id": 3, "scheduler": "x"}}]}', "[" * 100_000):
            with self.subTest(content[:40]):
                self.copy_run()
                (self.run_folder / "environment.json").write_text(content)
                self.assert_damaged("environment.json")
                shutil.rmtree(self.run_folder)

    def test_jobs(self):
        self.copy_run(up_to=4)
        self.submit(("slurm", "30"))
        self.assert_damaged("submitted", "line 1")
        self.submit(("slurm", "\x1b[2J", "pretrain"))
        self.assertNotIn("\x1b", self.text())

    def test_pipes_and_folders_instead_of_files(self):
        for name in ("config.cfg", "metrics.jsonl", "environment.json", "lock"):
            for make in (os.mkfifo, os.mkdir):
                with self.subTest(f"{make.__name__} {name}"):
                    self.copy_run()
                    (self.run_folder / name).unlink()
                    make(self.run_folder / name)
                    self.assert_damaged(name)
                    shutil.rmtree(self.run_folder)

    def test_what_cannot_be_seen_is_not_absent(self):
        self.copy_run()
        for rule, words in (("stat:a/config.cfg$:EACCES:always", "config.cfg"), ("open:metrics.jsonl:EIO:always", "metrics"),
                            ("stat:a/checkpoints$:EACCES:always", "checkpoints"), ("stat:a/lock$:EACCES:always", "lock"),
                            ("asklock:a/lock$:EIO:always", "whether"), ("read:config.cfg:EIO:always", "config.cfg"),
                            ("open:a/environment.json:EACCES:always", "environment.json")):
            with self.subTest(rule):
                self.assert_damaged(words, env=failing(rule))
        self.only("finished")
        self.only("finished", env=failing("asklock:a/lock$:ENOLCK:always"))  # lock.held would say who works there

    def test_a_link_to_nothing(self):
        (self.runs / "gone").symlink_to(self.folder / "nowhere")
        self.assert_damaged("is a link to something that is not there")

    def test_one_damaged_run_hides_no_other(self):
        for name in ("b", "c", "a"):
            self.copy_run(name)
        (self.runs / "b" / "config.cfg").write_text("")
        self.assertEqual([(pathlib.Path(run["run"]).name, run["state"]) for run in self.report()],
                         [("a", "finished"), ("b", "damaged"), ("c", "finished")])


class Places(ReportRuns):
    def names(self, *folders):
        return [os.path.relpath(run["run"], self.runs) for run in self.report(*folders)]

    def test_levels_and_links(self):
        for name in ("x/y/deep", "x/y/z/deeper", ".hidden/run", "b", "a"):
            self.copy_run(name)
        (self.runs / "link").symlink_to(self.runs / "b")
        (self.runs / "loop").symlink_to(self.runs)
        self.copy_run("a/inside")
        self.assertEqual(self.names(), ["a", "b", "x/y/deep"])
        self.assertEqual(self.names(self.runs / "x"), ["x/y/deep", "x/y/z/deeper"])
        self.assertEqual(self.names(self.runs / "a", self.runs / "b"), ["a", "b"])
        self.assertEqual(self.names(f"{self.runs}/a/"), ["a"])

    def test_names_are_shown_safely(self):
        self.copy_run("\x1b[2J\n<b>")
        text = self.text()
        self.assertNotIn("\x1b", text)
        self.assertEqual(len(text.splitlines()), 2)
        self.copy_run(os.fsdecode(b"\xff"))
        self.assertEqual(len(self.report()), 2)

    def test_what_is_not_there(self):
        for name in ("nothing", "made/config.cfg"):
            done = chainrule("report", "runs", self.fixture / name, check=66)
            self.assertEqual(done.out, "")
            self.assertIn(str(self.fixture / name), done.err)
        done = chainrule("report", "runs", self.runs, check=66, env=failing("readdir:runs:EIO:always"))
        self.assertIn("cannot list", done.err)

    def test_how_it_may_be_called(self):
        self.copy_run()
        def said(*words):
            return re.sub(r"\d+ s ago", "", chainrule("report", *words, check=0).out)
        self.assertEqual(said("--runs", self.runs), said("runs", self.runs))
        self.assertEqual(said(f"--runs={self.runs}"), said("runs", self.runs))
        self.assertEqual(said("runs", "--dir", self.runs), said("runs", self.runs))
        chainrule("report", "runs", check=64)
        chainrule("report", "--runs", check=64)
        self.assertIn("is none of", chainrule("report", "--runsx", check=64).err)


del ReportRuns

if __name__ == "__main__":
    import unittest
    unittest.main()
