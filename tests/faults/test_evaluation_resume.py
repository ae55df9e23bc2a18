"""`chainrule evaluate` that is killed, stopped or cut into parts: the report is the one of a run that was left alone."""
import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

from evaluation import EvaluationTest
from held_evaluation import HeldEvaluation, stop_while_scoring
from program import MPIRUN, MPIRUN_FLAGS, PROGRAM, chainrule

RESULTS = ("report.json", "domains.csv", "bands.csv", "documents.csv", "sources.csv")
SLOW = ["--stride", 1, "--micro-batch", 1]  # as many small units as there are tokens


class EvaluationResume(EvaluationTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = cls.fixture / "whole"
        chainrule("evaluate", "--model", cls.fixture / "model", "--data", cls.fixture / "data", "--report", cls.whole,
                  *SLOW, check=0)

    def assert_results(self, report):
        for name in RESULTS:
            self.assertEqual((report / name).read_bytes(), (self.whole / name).read_bytes(), name)

    def assert_whole(self, report):
        self.assert_results(report)
        self.assertEqual(sorted(path.name for path in report.parent.iterdir()), [report.name], "nothing else is left")

    def start(self, ranks, *options):
        command = [PROGRAM, *map(str, [*self.options(), *SLOW, *options])]
        if ranks > 1:
            command = [MPIRUN, *MPIRUN_FLAGS, "-n", str(ranks), *command]
        return subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)

    def kill(self, process):
        """With ranks that outlive their launcher; returns when they are gone, and their lock with them."""
        os.killpg(process.pid, signal.SIGKILL)
        while subprocess.run(["pkill", "-KILL", "-f", str(self.folder)], check=False).returncode == 0:
            time.sleep(0.01)

    def journal_size(self):
        try:
            return (self.folder / "report.journal").stat().st_size
        except FileNotFoundError:
            return 0

    def wait_for_journal(self, process, size=0):
        """Until the journal is larger, or the process has ended."""
        while process.poll() is None and self.journal_size() <= size:
            time.sleep(0.005)

    def test_killed_at_any_moment(self):
        seed = 14
        kills = int(os.environ.get("CHAINRULE_KILLS", "200"))
        chance = random.Random(seed)
        killed = went_on = finished = 0
        while killed < kills:
            ranks = chance.choice((1, 1, 1, 2, 3))
            size = self.journal_size()
            process = self.start(ranks)
            if chance.random() < 0.2:
                time.sleep(chance.uniform(0, 0.5))  # while it starts
            else:
                self.wait_for_journal(process, size)
                time.sleep(chance.uniform(0, 0.05))
            if process.poll() is None:
                self.kill(process)
                killed += 1
            said = process.communicate(timeout=60)[1].decode()
            went_on += "going on with" in said
            if (self.folder / "report").exists():  # though a kill may have left its journal
                finished += 1
                self.assert_results(self.folder / "report")
                shutil.rmtree(self.folder)
                self.folder.mkdir()
            elif process.returncode > 0 and ranks == 1:
                self.fail(f"exit code {process.returncode} after {killed} kills (seed {seed}): {said}")
        chainrule(*self.options(), *SLOW, ranks=2, check=0)
        for left in self.folder.glob("report.partial-*"):
            shutil.rmtree(left)  # a kill while the report was written leaves its folder, which no run takes for its own
        self.assert_whole(self.folder / "report")
        self.assertGreater(went_on, kills // 2, f"kills came while units were scored ({finished} runs were finished)")

    def stop_in_the_middle(self, ranks, *signals, options=()):
        code, said = stop_while_scoring([*self.options(), *SLOW, *options], self.folder / "report.journal", *signals,
                                        ranks=ranks if ranks > 1 else None)
        self.assertEqual(code, 75, said)
        return said

    def test_a_signal_stops_it(self):
        for ranks, stop in ((1, signal.SIGUSR1), (3, signal.SIGUSR1), (1, signal.SIGTERM)):
            self.assertIn("the same command goes on with it", self.stop_in_the_middle(ranks, stop))
            self.assertTrue((self.folder / "report.journal").exists())
            chainrule(*self.options(), *SLOW, ranks=3, check=0)
            self.assert_whole(self.folder / "report")
            shutil.rmtree(self.folder / "report")

    def test_the_time_limit_stops_it(self):
        # Held for longer than the limit, in the middle.
        self.stop_in_the_middle(1, signal.SIGSTOP, signal.SIGCONT, options=["--time-limit", "0:01"])
        chainrule(*self.options(), *SLOW, ranks=2, check=0)
        self.assert_whole(self.folder / "report")
        for text in ("never", "0", "1:2:3:4", "-5"):
            self.assertIn("--time-limit", chainrule(*self.options("r"), f"--time-limit={text}", check=64).err)

    def test_what_is_left_of_another_evaluation_is_not_taken(self):
        self.stop_in_the_middle(1, signal.SIGUSR1)
        before = (self.folder / "report.journal").read_bytes()
        for options in (["--stride", 7], [*SLOW, "--math", "bf16"], [*SLOW, "--max-documents", 5],
                        [*SLOW, "--context-length", 16]):
            done = chainrule(*self.options(), *options, check=73)
            self.assertIn("report.journal", done.err)
            self.assertIn("another evaluation", done.err)
            self.assertEqual((self.folder / "report.journal").read_bytes(), before)

    def test_two_at_once(self):
        first = HeldEvaluation([*self.options(), *SLOW], self.folder / "report.journal")
        first.wait_for_a_record()
        done = chainrule(*self.options(), *SLOW, check=73)
        self.assertIn("in use by another process", done.err)
        first.process.send_signal(signal.SIGUSR1)
        self.assertEqual(first.end()[0], 75)
        chainrule(*self.options(), *SLOW, check=0)
        self.assert_whole(self.folder / "report")

    def parts(self, count, name="report", *more):
        for part in range(1, count + 1):
            chainrule(*self.options(name), *SLOW, "--part", f"{part}/{count}", *more, ranks=1 + part % 3, check=0)
        return [self.folder / f"{name}.part-{part}-of-{count}" for part in range(1, count + 1)]

    def test_parts_merge_to_the_report_of_one_run(self):
        for count in (2, 4):
            parts = self.parts(count)
            done = chainrule("report", "merge", *reversed(parts), "--report", self.folder / "report", check=0)
            self.assertIn("perplexity", done.out)
            for part in parts:
                part.unlink()
            self.assert_whole(self.folder / "report")
            shutil.rmtree(self.folder / "report")

    def test_parts_that_do_not_go_together(self):
        parts = self.parts(3)
        other = chainrule(*self.options("other"), "--part", "2/3", check=0) and self.folder / "other.part-2-of-3"
        quarter = chainrule(*self.options(), *SLOW, "--part", "2/4", check=0) and self.folder / "report.part-2-of-4"
        damaged = self.folder / "damaged"
        content = bytearray(parts[1].read_bytes())
        content[len(content) // 2] ^= 1
        damaged.write_bytes(content)
        cut = self.folder / "cut"
        cut.write_bytes(parts[1].read_bytes()[:-1])
        moved = self.folder / "moved data"
        shutil.copytree(self.fixture / "data", moved)
        for given, code, said in (
                (parts[:2], 65, ["part 3 of 3 is missing"]),
                ([*parts, parts[1]], 65, ["part 2 of 3 is given twice", parts[1]]),
                ([parts[0], other, parts[2]], 65, [other, "another evaluation", "stride 16", "stride 1,"]),
                ([parts[0], quarter, parts[2]], 65, [quarter, "one of 4 parts", "one of 3"]),
                ([parts[0], damaged, parts[2]], 65, [damaged, "damaged"]),
                ([parts[0], cut, parts[2]], 65, [cut, "damaged, or still being written"]),
                ([parts[0], self.whole / "report.json", parts[2]], 65, ["report.json", "no part of an evaluation"]),
                ([parts[0], self.folder / "absent", parts[2]], 66, ["absent"]),
                ([*parts, "--data", self.fixture / "data-wide"], 65, ["fingerprint"])):
            done = chainrule("report", "merge", *given, "--report", self.folder / "merged", check=code)
            for text in said:
                self.assertIn(str(text), done.err)
            self.assertFalse((self.folder / "merged").exists())
        chainrule("report", "merge", *parts, "--report", self.folder / "merged", "--data", moved, check=0)
        self.assertEqual((self.folder / "merged" / "report.json").read_bytes(),
                         (self.whole / "report.json").read_bytes())
        chainrule("report", "merge", *parts, "--report", self.folder / "merged", check=73)
        done = chainrule(*self.options(), *SLOW, "--part", "2/3", ranks=2, check=0)
        self.assertIn("is there already", done.out)
        self.assertEqual(damaged.read_bytes()[:100], parts[1].read_bytes()[:100])
        done = chainrule(*self.options(), "--part", "2/3", ranks=2, check=73)
        self.assertIn("a part of another evaluation", done.err)

    def test_beside_a_baseline(self):
        """Kills, ranks and parts leave the bytes of one run; what is of another baseline, or of none, is not taken."""
        beside = ["--baseline", self.fixture / "baseline"]
        other = ["--baseline", self.fixture / "model"]
        whole = self.folder / "whole"
        chainrule(*self.options("whole"), *SLOW, *beside, "--token-nll", check=0)
        files = ("report.json", "documents.csv", "tokens.h5")
        kills = 0
        while kills < 10:
            size = self.journal_size()
            process = self.start(1 + kills % 3, *beside, "--token-nll")
            self.wait_for_journal(process, size)
            if process.poll() is None:
                self.kill(process)
                kills += 1
            process.communicate(timeout=60)
            if (self.folder / "report").exists():
                shutil.rmtree(self.folder / "report")
        chainrule(*self.options(), *SLOW, *beside, "--token-nll", ranks=3, check=0)
        parts = self.parts(3, "parts", *beside)
        chainrule("report", "merge", *parts, "--token-nll", "--report", self.folder / "merged", check=0)
        for name in files:
            for report in ("report", "merged"):
                self.assertEqual((self.folder / report / name).read_bytes(), (whole / name).read_bytes(), (report, name))
        for number, options in enumerate((other, [])):
            part = chainrule(*self.options(f"o{number}"), *SLOW, "--part", "2/3", *options, check=0) and \
                self.folder / f"o{number}.part-2-of-3"
            done = chainrule("report", "merge", parts[0], part, parts[2], "--report", self.folder / "m", check=65)
            self.assertIn("another evaluation", done.err)
            self.assertIn("beside the baseline", done.err)
        journal = self.folder / "next.journal"
        shutil.copy(parts[0], journal)
        for options in (other, []):
            done = chainrule(*self.options("next"), *SLOW, *options, check=73)
            self.assertIn("another evaluation", done.err)
            self.assertEqual(journal.read_bytes(), parts[0].read_bytes())

    def test_other_threads_are_told(self):
        """Bits may depend on them: what is put together says so."""
        few = ["--max-documents", 3]  # threads that share busy cores are slow
        told = "was scored with .* 1 thread a rank', and not with .* 2 threads a rank'"
        self.stop_in_the_middle(1, signal.SIGUSR1, options=few)
        done = chainrule(*self.options(), *SLOW, *few, "--threads", 2, check=0)
        self.assertRegex(done.err, f"report.journal' {told}")
        parts = self.parts(2, "parts", *few, "--threads", 2)
        self.assertNotIn("bits may differ", chainrule("report", "merge", *parts, "--report", self.folder / "a", check=0).err)
        parts[1].unlink()
        chainrule(*self.options("parts"), *SLOW, *few, "--part", "2/2", "--threads", 1, check=0)
        done = chainrule("report", "merge", *parts, "--report", self.folder / "b", check=0)
        self.assertRegex(done.err, f"part-2-of-2' {told}")

    def test_part_usage(self):
        for text in ("0/2", "3/2", "1/1", "1", "/", "1/", "a/b", "1/2/3", "-1/2"):
            self.assertIn("--part", chainrule(*self.options(), f"--part={text}", check=64).err)
        done = chainrule(*self.options(), "--part", "1/2", "--token-nll", check=64)
        self.assertIn("--token-nll belongs to chainrule report merge", done.err)
        self.assertIn("merge", chainrule("report", check=64).err)
        self.assertIn("did you mean 'merge'", chainrule("report", "merg", check=64).err)

    def test_tokens_that_are_not_finite(self):
        done = chainrule(*self.options("report", "model-nan"), "--allow-nonfinite", ranks=2, check=0)
        self.assertIn("tokens have no finite result", done.out)
        report = json.loads((self.folder / "report" / "report.json").read_text())
        self.assertEqual(report["nonfinite_tokens"], 1873)
        for part in (1, 2):
            chainrule(*self.options("p", "model-nan"), "--part", f"{part}/2", check=0)
        parts = [self.folder / f"p.part-{part}-of-2" for part in (1, 2)]
        chainrule("report", "merge", *parts, "--report", self.folder / "merged", check=65)
        self.assertEqual((self.folder / "merged" / "report.json").read_bytes(),
                         (self.folder / "report" / "report.json").read_bytes())


if __name__ == "__main__":
    unittest.main()
