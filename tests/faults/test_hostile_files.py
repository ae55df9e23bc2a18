"""Files made to break what reads them: refused within seconds by an exit code, never by a signal, and nothing outside
of the output is touched."""
import json
import os
import re
import resource
import shutil
import struct
import subprocess
import unittest

import h5py

from checksums import seal_checkpoint
from evaluation import EvaluationTest
from packing import PackTest, write_corpus
from pretraining import PretrainTest
from program import PROGRAM, chainrule, read_back, run_bounded
from refusals import Refusals, copied

class Contradictions(Refusals, PretrainTest):
    """Every checksum agrees, and what the files say does not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        maker = cls()
        maker.setUp()
        maker.train()
        shutil.rmtree(maker.checkpoint(6))
        cls.begun = maker.run_folder
        wide = cls.fixture / "wide"
        maker.train("--width", 256, run=wide)
        cls.wide = maker.checkpoint(6, wide)

    def setUp(self):
        super().setUp()
        if hasattr(self, "begun"):
            copied(self.begun, self.run_folder)

    def edit(self, name, **changes):
        path = self.checkpoint(4) / name
        content = json.loads(path.read_text())
        content.update(changes)
        path.write_text(json.dumps(content, indent=2) + "\n")
        seal_checkpoint(path.parent)

    def refused(self, *said):
        self.assert_refused(self.train(check=None), (64, 65), *said)
        self.assertEqual(self.checkpoints(), ["step-00000004"])

    def test_a_larger_model_than_the_state_says(self):
        for name in ("model.h5", "model.json"):
            shutil.copy(self.wide / name, self.checkpoint(4) / name)
        seal_checkpoint(self.checkpoint(4))
        self.refused("step-00000004")

    def test_the_optimizer_state_of_a_larger_model(self):
        shutil.copy(self.wide / "optimizer-00000.h5", self.checkpoint(4) / "optimizer-00000.h5")
        seal_checkpoint(self.checkpoint(4))
        self.refused("step-00000004")

    def test_two_files_of_the_same_optimizer_state(self):
        shutil.copy(self.checkpoint(4) / "optimizer-00000.h5", self.checkpoint(4) / "optimizer-00001.h5")
        manifest = json.loads((self.checkpoint(4) / "manifest.json").read_text())
        manifest["files"].append({"name": "optimizer-00001.h5", "bytes": 0, "xxh3_128": ""})
        self.edit("manifest.json", files=manifest["files"])
        self.refused("step-00000004")

    def test_ranges_of_the_optimizer_state(self):
        path = self.checkpoint(4) / "optimizer-00000.h5"
        kept = path.read_bytes()
        with h5py.File(path) as file:
            names = [name for name in file if file[name].dtype.kind == "u" or file[name].dtype.kind == "i"]
        self.assertTrue(names)
        for name in names:
            for value in (0, 1, 2**31, 2**62, 2**63 - 1):
                for place in (0, -1):
                    with self.subTest(name=name, value=value, place=place):
                        with h5py.File(path, "r+") as file:
                            flat = file[name][:]
                            unchanged = flat.flat[place] == value
                            flat.flat[place] = value
                            file[name][:] = flat
                        seal_checkpoint(self.checkpoint(4))
                        if not unchanged:
                            self.refused("step-00000004")
                    path.write_bytes(kept)

    def test_numbers_of_the_state(self):
        for changes in ({"step": -1}, {"step": 5}, {"step": 2**62}, {"samples_consumed": -5},
                        {"samples_consumed": 2**62}, {"samples_consumed": 65}, {"samples_consumed": 0}, {"step": 4.5},
                        {"elapsed_seconds": -1e300}, {"step": "4"}, {"step": None}, {"threads_per_rank": [[]]}):
            with self.subTest(changes=changes):
                self.edit("state.json", **changes)
                if "elapsed_seconds" not in changes:
                    self.refused("step-00000004")
                else:
                    self.assertIn(self.train(check=None).returncode, (0, 65))
            shutil.rmtree(self.run_folder)
            copied(self.begun, self.run_folder)

    def test_names_in_the_manifest(self):
        manifest = json.loads((self.checkpoint(4) / "manifest.json").read_text())
        for name in ("../../config.cfg", "/etc/hostname", "model.h5\0", "", ".", "a" * 5000, "\x1b[2J"):
            with self.subTest(name=name):
                files = [*manifest["files"], {"name": name, "bytes": 0, "xxh3_128": "0"}]
                (self.checkpoint(4) / "manifest.json").write_text(json.dumps({**manifest, "files": files}))
                done = self.train(check=None)
                self.assert_refused(done, 65, "step-00000004")
                self.assertNotIn("\x1b", done.err)


class HostileModels(Refusals, EvaluationTest):
    def test_sizes_in_the_description(self):
        """Bounds come before building: neither memory nor time goes to a number in a file."""
        for field in ("layers", "heads", "width", "feed_forward_width", "vocabulary_size", "sequence_length"):
            for value in (0, -1, 2**31, 2**31 - 1, 2**40, 2**62, 2**63, 1e30, 2.5, "2"):
                with self.subTest(field=field, value=value):
                    model = copied(self.fixture / "model", self.folder / "model")
                    description = json.loads((model / "model.json").read_text())
                    description[field] = value
                    (model / "model.json").write_text(json.dumps(description))
                    seal_checkpoint(model)
                    done = self.limited(["inspect", model])  # does not build the model, and is done soon
                    self.assertIn(done.returncode, (0, 65) if isinstance(value, int) else (65,), done.err[-500:])
                    done = self.limited(["evaluate", "--model", model, "--data", self.fixture / "data", "--report",
                                         self.folder / "report"])
                    self.assert_refused(done, (64, 65))
                    self.assertLess(len(done.err), 2000)
                shutil.rmtree(self.folder / "model")

    @staticmethod
    def limited(command):
        """No more than 4 GiB and five seconds."""
        def apply():
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        return read_back(run_bounded([PROGRAM, *map(str, command)], 5, preexec_fn=apply, env=os.environ))


class FlippedBytes(Refusals, PackTest):
    def setUp(self):
        super().setUp()
        write_corpus(self.corpus, lines=4)
        self.pack("data")
        self.content = (self.folder / "data/shard-00000.h5").read_bytes()
        self.ways = {}

    def inspect(self, at, value):
        alone = self.folder / "shard-00000.h5"
        alone.write_bytes(self.content[:at] + bytes([value]) + self.content[at + 1:])
        try:
            code = subprocess.run([PROGRAM, "inspect", alone], capture_output=True, timeout=5).returncode
        except subprocess.TimeoutExpired:
            code = "hangs"
        self.ways.setdefault(code, []).append((hex(at), self.content[at], value))

    def all_ended_well(self):
        bad = {code: places[:8] for code, places in self.ways.items() if code not in (0, 65)}
        self.assertFalse(bad, "exit code or signal: (place, byte, its new value) ...")

    def test_every_97th_byte_of_a_shard(self):
        for at in range(0, len(self.content), max(97, len(self.content) // 400)):
            self.inspect(at, self.content[at] ^ 0x01)
            self.inspect(at, self.content[at] ^ 0x80)
        self.all_ended_well()

    def test_layouts_of_chunks(self):
        """A dataset's layout says "version 3, chunked, rank + 1": other ranks than the dataset's, and other kinds."""
        layouts = [match.start() for match in re.finditer(rb"\x03\x02\x02", self.content)]
        self.assertGreaterEqual(len(layouts), 6)
        for layout in layouts[:3] + layouts[-1:]:
            for at in range(layout, layout + 16):
                for value in {0, 1, 2, 3, 33, 255} - {self.content[at]}:
                    self.inspect(at, value)
        self.all_ended_well()

    def test_indexes_of_chunks(self):
        """Sizes and masks of stored chunks: what the index says is not believed."""
        trees = [match.start() for match in re.finditer(rb"TREE\x01", self.content)]
        self.assertTrue(trees)
        for tree in trees[:2]:
            for at in range(tree + 4, tree + 48):
                for value in {0, 1, 0x7f, 0xff} - {self.content[at]}:
                    self.inspect(at, value)
        size = struct.pack("<I", 3)  # of one stored chunk: less than its checksum
        for tree in trees:
            at = tree + 24
            altered = self.content[:at] + size + self.content[at + 4:]
            (self.folder / "shard-00000.h5").write_bytes(altered)
            done = chainrule("inspect", self.folder / "shard-00000.h5", timeout=5)
            self.assertIn(done.returncode, (0, 65), (hex(at), done.returncode))
        self.all_ended_well()


if __name__ == "__main__":
    unittest.main()
