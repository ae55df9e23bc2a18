"""`chainrule pretrain`: the same bits on any number of ranks and across stops; metrics, checkpoints, the run directory."""
import json
import math
import os
import random
import re
import signal
import subprocess
import unittest

import h5py

from pretraining import PretrainTest
from program import PROGRAM, chainrule


class Pretrain(PretrainTest):
    def test_weights_are_the_same_bits_on_any_number_of_ranks(self):
        hashes = {}
        losses = {}
        for ranks in (None, 2, 3, 4):
            run = self.folder / f"ranks {ranks}"
            self.train(ranks=ranks, run=run)
            hashes[ranks] = self.weights_hash(run)
            losses[ranks] = [(line["loss"], line["gradient_norm"], line.get("validation_loss"))
                             for line in self.metrics(run)]
        self.assertEqual(len(set(hashes.values())), 1, hashes)
        for ranks in (2, 3, 4):
            self.assertEqual(losses[ranks], losses[None])

    def test_ragged_and_empty_lanes(self):
        for micro_batches in (3, 13):  # fewer than the 8 lanes, and no multiple of them
            hashes = set()
            for ranks in (1, 3, 5):
                run = self.folder / f"{micro_batches} on {ranks}"
                self.train("--global-batch", 2 * micro_batches, "--validate-every", 0, ranks=ranks, run=run, steps=3)
                hashes.add(self.weights_hash(run))
            self.assertEqual(len(hashes), 1, micro_batches)

    def test_more_ranks_than_micro_batches(self):
        hashes = set()
        for ranks in (1, 4):
            run = self.folder / f"ranks {ranks}"
            self.train("--global-batch", 4, "--validate-every", 0, ranks=ranks, run=run, steps=3)
            hashes.add(self.weights_hash(run))
        self.assertEqual(len(hashes), 1)

    def test_an_embedding_of_several_buckets(self):
        """Its buckets travel apart from the rows of the inputs where these are fewer than half of its rows."""
        hashes = set()
        for ranks, micro_batches in ((1, 1), (2, 1), (3, 1), (1, 4), (2, 4), (3, 4)):
            run = self.folder / f"{micro_batches} on {ranks}"
            self.train("--global-batch", 2 * micro_batches, data="many", ranks=ranks, run=run, steps=4)
            hashes.add((micro_batches, self.weights_hash(run)))
        self.assertEqual(len(hashes), 2)

    def test_three_threads(self):
        hashes = set()
        for ranks in (1, 2):
            run = self.folder / f"ranks {ranks}"
            self.train("--threads", 3, ranks=ranks, run=run, steps=3)
            hashes.add(self.weights_hash(run))
        self.assertEqual(len(hashes), 1)

    def test_z_loss(self):
        """The same bits on any number of ranks and over a stop, others than without; 0 is without."""
        hashes = {}
        for weight, ranks in ((None, 1), (0, 2), (1e-2, 1), (1e-2, 2), (1e-2, 3)):
            run = self.folder / f"{weight} on {ranks}"
            more = [] if weight is None else ["--z-loss", weight]
            self.train(*more, ranks=ranks, run=run)
            hashes.setdefault(weight or 0, set()).add(self.weights_hash(run))
        self.assertEqual([len(of_weight) for of_weight in hashes.values()], [1, 1])
        self.assertNotEqual(hashes[0], hashes[1e-2])
        first = [self.metrics(self.folder / f"{weight} on 1")[0]["loss"] for weight in (None, 1e-2)]
        self.assertEqual(first[0], first[1], "the loss is cross-entropy alone")
        self.train("--z-loss", 1e-2)
        self.keep_checkpoints_up_to(4)
        self.train("--z-loss", "0.01", ranks=2)
        self.assertEqual({self.weights_hash()}, hashes[1e-2])
        for run in ("None on 1", "0 on 2"):  # so that runs that were begun before there was the option go on
            self.assertNotIn("z-loss", (self.folder / run / "config.cfg").read_text())

    def test_seed_and_lanes_matter(self):
        """The control: had they no effect, equal hashes would show nothing."""
        hashes = set()
        for more in (["--seed", 0], ["--seed", 1], ["--lanes", 4], ["--learning-rate", 1e-3]):
            run = self.folder / "-".join(map(str, more))
            self.train(*more, "--validate-every", 0, run=run, steps=3)
            hashes.add(self.weights_hash(run))
        self.assertEqual(len(hashes), 4)

    def test_loss_starts_at_the_uniform_model_and_falls(self):
        self.train("--learning-rate", 3e-3, "--validate-every", 20, steps=60)
        metrics = self.metrics()
        self.assertEqual([line["step"] for line in metrics], list(range(1, 61)))
        self.assertAlmostEqual(metrics[0]["loss"], math.log(300), delta=0.3)
        validation = [line["validation_loss"] for line in metrics if "validation_loss" in line]
        self.assertEqual(len(validation), 3)
        self.assertLess(validation[-1], 0.7 * metrics[0]["loss"])
        self.assertEqual(metrics[-1]["tokens"], 60 * 16 * 16)
        self.assertEqual(metrics[-1]["samples"], 60 * 16)
        self.assertAlmostEqual(metrics[-1]["learning_rate"], 3e-4)
        self.assertGreater(metrics[0]["gradient_norm"], 0)

    def test_signal_at_random_moments_then_other_ranks(self):
        steps = 40
        whole = self.folder / "whole"
        self.train("--validate-every", 7, run=whole, steps=steps)
        moments = random.Random(20240917)
        stops = 0
        for ranks in (2, 3, 1, 4, 2, 3):
            process = self.start("--validate-every", 7, ranks=ranks, steps=steps)
            said = self.wait_for_line(process, ("training", "going on"))
            target = moments.randrange(1, 12)
            for _ in range(target):  # some steps later
                said.append(process.stderr.readline().decode())
            process.send_signal(signal.SIGUSR1 if ranks % 2 else signal.SIGUSR2)
            said.append(process.communicate(timeout=60)[1].decode())
            if process.returncode == 0:
                break
            self.assertEqual(process.returncode, 75, "".join(said))
            self.assertIn("stopped early at step", "".join(said))
            stops += 1
        self.assertGreaterEqual(stops, 2)
        self.train("--validate-every", 7, ranks=3, steps=steps)
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))
        self.assertEqual([line["step"] for line in self.metrics()], list(range(1, steps + 1)))
        self.assertEqual([line["loss"] for line in self.metrics()], [line["loss"] for line in self.metrics(whole)])

    def test_signal_while_the_run_is_prepared(self):
        process = self.start("--checkpoint-every", 0, ranks=2, steps=10_000)
        self.wait_until(lambda: (self.run_folder / "lock").exists())
        process.send_signal(signal.SIGUSR1)
        said = process.communicate(timeout=60)[1].decode()
        self.assertEqual(process.returncode, 75, said)
        self.assertEqual(len(self.checkpoints()), 1)

    def test_signal_before_the_first_step(self):
        whole = self.folder / "whole"
        self.train(run=whole)

        def send_own_signal():  # pending until the program asks for it
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
            os.kill(os.getpid(), signal.SIGUSR1)

        for _ in range(2):  # the second finds the checkpoint of the first
            done = subprocess.run([PROGRAM, *self.options()], preexec_fn=send_own_signal, capture_output=True,
                                  timeout=60)
            self.assertEqual(done.returncode, 75, done.stderr)
            self.assertEqual(self.checkpoints(), ["step-00000000"])
        self.train(ranks=2)
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))

    def test_finished_run_says_so(self):
        self.train()
        before = {path: path.stat().st_mtime_ns for path in self.run_folder.rglob("*") if path.name != "lock"}
        for ranks in (None, 3):
            self.assertIn("is finished: 6 steps", self.train(ranks=ranks).err)
        self.assertEqual({path: path.stat().st_mtime_ns for path in self.run_folder.rglob("*") if path.name != "lock"},
                         before)

    def test_options_that_may_change(self):
        whole = self.folder / "whole"
        self.train(run=whole)
        self.train_and_stop_at(4)
        self.train("--log-every", 3, "--checkpoint-every", 5, "--validate-every", 2, "--keep-checkpoints", 1,
                   "--z-loss", 0, "--recompute", "attention")
        self.assertEqual(self.weights_hash(), self.weights_hash(whole))
        self.assertEqual(self.checkpoints(), ["step-00000006"])

    def test_other_threads_warn(self):
        self.train_and_stop_at(4)
        self.assertIn("threads per rank were 1 when this run was saved and 2 now", self.train("--threads", 2).err)

    def train_and_stop_at(self, step):
        """A run that has some steps still to take, made from a finished one."""
        self.train()
        self.keep_checkpoints_up_to(step)

    def test_metrics_past_the_checkpoint_are_cut_off(self):
        self.train_and_stop_at(4)
        before = self.metrics()
        with (self.run_folder / "metrics.jsonl").open("a") as file:
            file.write('{"step":7,"lo')  # a write that a dying process left
        self.train()
        self.assertEqual([line["step"] for line in self.metrics()], [1, 2, 3, 4, 5, 6])
        self.assertEqual(self.metrics()[:4], before[:4])
        self.assertEqual(list(self.run_folder.glob("metrics.jsonl.damaged*")), [])

    def test_metrics_that_cannot_be_read_are_kept_beside(self):
        self.train_and_stop_at(4)
        log = self.run_folder / "metrics.jsonl"
        lines = log.read_bytes().splitlines(keepends=True)
        for count, damage in enumerate((b'{"step":2,"lo\n', b'{"loss":3.5}\n', b"\0\n"), start=1):
            damaged = lines[0] + damage + b"".join(lines[2:])
            log.write_bytes(damaged)
            self.keep_checkpoints_up_to(4)
            said = self.train(ranks=2 if count == 2 else None).err
            copy = "metrics.jsonl.damaged" + (f"-{count}" if count > 1 else "")
            self.assertIn("metrics.jsonl': cannot read line 2, left out; the file as it was is kept as ", said)
            self.assertIn(copy + "'\n", said)
            self.assertIn("metrics.jsonl' lacks step 2 of this run\n", said)
            self.assertEqual((self.run_folder / copy).read_bytes(), damaged)
            self.assertEqual([line["step"] for line in self.metrics()], [1, 3, 4, 5, 6])
            chainrule("report", self.run_folder, check=0)

    def test_steps_without_a_line_are_said(self):
        self.train("--checkpoint-every", 1, "--keep-checkpoints", 9, steps=6)
        log = self.run_folder / "metrics.jsonl"
        lines = log.read_text().splitlines(keepends=True)
        for kept, lacking in (((1, 5, 6), "steps 2 to 4"), ((2, 4), "steps 1, 3, 5"), ((), "steps 1 to 5"), ((1, 2, 3, 4), "step 5"),
                              ((1, 2, 3, 4, 5), "")):
            log.write_text("".join(lines[step - 1] for step in kept))
            self.keep_checkpoints_up_to(5)
            said = self.train("--checkpoint-every", 1, "--keep-checkpoints", 9, steps=6).err
            self.assertEqual(f"lacks {lacking} of this run" in said, bool(lacking), said)
            self.assertEqual("lacks" in said, bool(lacking), said)
        self.assertEqual([path.name for path in self.run_folder.glob("*damaged*")], [])

    def test_keeps_the_newest_checkpoints(self):
        self.train("--keep-checkpoints", 3, "--checkpoint-every", 1)
        self.assertEqual(self.checkpoints(), ["step-00000004", "step-00000005", "step-00000006"])

    def test_checkpoint_is_complete_and_plain(self):
        self.train(ranks=3)
        folder = self.checkpoint(6)
        manifest = json.loads((folder / "manifest.json").read_text())
        names = sorted(entry["name"] for entry in manifest["files"])
        self.assertEqual(names, ["model.h5", "model.json", "optimizer-00000.h5", "optimizer-00001.h5",
                                 "optimizer-00002.h5", "state.json", "tokenizer.json"])
        self.assertEqual(sorted(path.name for path in folder.iterdir()), sorted(names + ["manifest.json"]))
        self.assertEqual((folder / "tokenizer.json").read_bytes(),
                         (self.fixture / "pair/train/tokenizer.json").read_bytes())
        with h5py.File(folder / "model.h5") as model:
            self.assertEqual(model["token_embedding.weight"].shape, (300, 128))
            parameters = sum(tensor.size for tensor in model.values())
        self.assertEqual(parameters, json.loads((folder / "model.json").read_text())["parameters"])
        moments = 0
        for rank in range(3):
            with h5py.File(folder / f"optimizer-{rank:05}.h5") as optimizer:
                moments += optimizer["first_moment"].size
        self.assertGreaterEqual(moments, parameters)
        self.assertLess(moments, parameters + 1000)  # padding between parameters

    def test_environment_lists_every_start(self):
        self.train_and_stop_at(4)
        self.train(ranks=2)
        starts = json.loads((self.run_folder / "environment.json").read_text())["starts"]
        self.assertEqual([(start["ranks"], start["from_step"]) for start in starts], [(1, 0), (2, 4)])

    def test_configuration_can_be_given_back(self):
        self.train()
        other = self.folder / "other"
        chainrule("pretrain", "--config", self.run_folder / "config.cfg", "--run", other, check=0)
        self.assertEqual(self.weights_hash(other), self.weights_hash())

    def test_plain_data_set_and_validation_data(self):
        self.train("--validation-data", self.fixture / "pair/held-out", data="pair/train")
        pair = self.folder / "pair"
        self.train(run=pair)
        self.assertEqual(self.metrics()[-1]["validation_loss"], self.metrics(pair)[-1]["validation_loss"])
        plain = self.folder / "plain"
        self.train(run=plain, data="pair/train")
        self.assertNotIn("validation_loss", self.metrics(plain)[-1])
        self.assertEqual(self.weights_hash(plain), self.weights_hash(pair))

    def test_dry_run_writes_nothing(self):
        for ranks in (None, 2):
            done = chainrule(*self.options(), "--dry-run", ranks=ranks, check=0)
            self.assertFalse(self.run_folder.exists())
            for said in ("parameters", "tokens per step   256", "tokens in all     1,536", "epochs", "optimizer"):
                self.assertIn(said, done.out)

    def test_dry_run_tells_what_the_run_would_do(self):
        """As it was begun, with what is asked for now."""
        stable = ("--schedule", "constant")
        self.train("--lanes", 16, *stable)
        before = {path: path.stat().st_mtime_ns for path in self.run_folder.rglob("*")}
        branch = self.options("--init", self.run_folder, "--decay-steps", 2, run=self.folder / "branch")
        for option in ("--steps", "--model", "--width", "--sequence-length"):
            at = branch.index(option)
            del branch[at:at + 2]
        branch.append("--decay-now")
        for ranks in (None, 2):
            for words in (self.options(*stable), self.options(*stable, steps=9), branch):
                self.assertIn(f"ranks, lanes      {ranks or 1}, 16\n",
                              chainrule(*words, "--dry-run", ranks=ranks, check=0).out)
                for option in ("--lanes", "--seed"):
                    done = chainrule(*words, option, 8, "--dry-run", ranks=ranks, check=64)
                    self.assertIn(f"option '{option}' is ", done.err)
        self.assertEqual({path: path.stat().st_mtime_ns for path in self.run_folder.rglob("*")}, before)

    def test_bf16_is_float32_where_there_are_no_bf16_products(self):
        hashes = set()
        shape = ("--width", 512, "--heads", 8, "--layers", 1, "--sequence-length", 512, "--micro-batch", 2,
                 "--global-batch", 2, "--validate-every", 0)
        for math_kind in ("float32", "bf16"):
            run = self.folder / math_kind
            done = self.train(*shape, "--math", math_kind, run=run, steps=1, data="many",
                              env={"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"})
            self.assertEqual("--math bf16 computes in float32 here" in done.err, math_kind == "bf16")
            hashes.add(self.weights_hash(run))
        self.assertEqual(len(hashes), 1)

    def test_the_same_bits_in_less_memory(self):
        hashes, megabytes = set(), []
        for recompute in ("none", "attention", "full"):
            run = self.folder / recompute
            self.train("--recompute", recompute, run=run, ranks=2, steps=3)
            hashes.add(self.weights_hash(run))
            done = chainrule(*self.options("--recompute", recompute, "--sequence-length", 512, data="many"), "--dry-run",
                             check=0)
            megabytes.append(float(re.search(r"activations +([0-9.]+) MiB", done.out)[1]))
        self.assertEqual(len(hashes), 1)
        self.assertEqual(megabytes, sorted(set(megabytes), reverse=True))

    def test_dry_run_refuses_more_tokens_than_can_be_counted(self):
        done = chainrule(*self.options("--global-batch", 2**62), "--dry-run", check=64)
        self.assertIn("more than can be counted", done.err)
        done = chainrule(*self.options("--lanes", 2**32), "--dry-run", check=64)
        self.assertIn("must be at most 65536", done.err)

    def test_dry_run_of_gpt2(self):
        done = chainrule("pretrain", "--data", self.fixture / "pair", "--steps", 10, "--dry-run", check=0)
        self.assertIn("gradients", done.out)
        # 124,439,808 with GPT-2's vocabulary of 50,257; 768 channels a token fewer here.
        self.assertIn(f"{124_439_808 - 768 * (50_257 - 300):,}", done.out)


if __name__ == "__main__":
    unittest.main()
