"""Text that is not what its name says: recognised, left out with a count, or refused; never packed as something else."""
import gzip
import io
import json
import os
import shutil
import tarfile
import unittest
import zipfile

from packing import TOKENIZER, Decoder, PackTest, read_set
from program import chainrule
from refusals import Refusals

LINES = ['{"text": "one"}', '{"text": "two", "more": {"a": [1]}}', "", '{"n": 1, "text": "three"}']
TEXTS = [b"one", b"two", b"three"]
ELF = b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 8
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 8


def tar_of(content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo("a.txt")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def zip_of(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", content)
    return file.getvalue()


class TextInputs(Refusals, PackTest):
    decoder = Decoder()

    def setUp(self):
        super().setUp()
        self.corpus.mkdir()

    def write(self, name, content):
        path = self.corpus / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run_pack(self, *more, inputs=None):
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        return chainrule("pack", "--tokenizer", TOKENIZER, "--input", *(inputs or [self.corpus]), "--output",
                         self.folder / "data", *more)

    def texts(self, *more, **options):
        done = self.run_pack(*more, **options)
        self.assertEqual(done.returncode, 0, done.err)
        return [self.decoder.decode(document[0]) for document in read_set(self.folder / "data")[0]], done

    def test_json_lines_by_any_name(self):
        for name in ("a.jsonl", "a.ndjson", "a.JSONL", "a.NDJSON", "a.Jsonl", "a.jsonlines", "blob", "a.txt", "a.json"):
            with self.subTest(name=name):
                path = self.write(name, "\n".join(LINES) + "\n")
                done = self.run_pack()
                if done.returncode != 0 and name in ("blob", "a.txt", "a.json"):  # cannot be told apart
                    self.assert_refused(done, 65, name)
                else:
                    self.assertEqual(self.texts()[0], TEXTS)
            path.unlink()

    def test_text_that_begins_with_a_brace_is_text(self):
        self.write("main.c", "{ int a; }\n{ int b; }\n")
        self.write("style.css", "{\n}\n")
        self.assertEqual(len(self.texts()[0]), 2)

    def test_compressed_by_any_name(self):
        """Refused by name, or left out with a count: gzip's bytes are no text."""
        zipped = gzip.compress(b"some text " * 50)
        for name, content in (("a.jsonl.gz", zipped), ("a.jsonl.GZ", zipped), ("a.tgz", tar_of(b"text")),
                              ("a.TGZ", tar_of(b"text")), ("a.tar.gz", tar_of(b"text")), ("a.txt", zipped),
                              ("a.jsonl", zipped), ("blob", zipped), ("a.zip", zip_of(b"text")), ("a.docx", zip_of(b"t")),
                              ("a.xz", b"\xfd7zXZ\0" + b"x" * 50), ("a.dat", b"\xfd7zXZ\0" + b"x" * 50),
                              ("a.zst", b"\x28\xb5\x2f\xfd" + b"x" * 50), ("blob2", b"\x28\xb5\x2f\xfd" + b"x" * 50),
                              ("a.bz2", b"BZh91AY&SY" + b"x" * 50), ("a.tbz2", b"BZh91AY&SY" + b"x" * 50),
                              ("a.txt.Z", b"\x1f\x9d\x90" + b"x" * 50), ("a.7z", b"7z\xbc\xaf\x27\x1c" + b"x" * 50),
                              ("a.parquet", b"PAR1" + b"\x15\x04\0\xff" * 30 + b"PAR1")):
            with self.subTest(name=name):
                path = self.write(name, content)
                self.write("good.txt", "good")
                done = self.run_pack()
                if done.returncode != 0:
                    self.assert_refused(done, 65, name)
                else:
                    self.assertEqual(self.texts()[0], [b"good"])
                    self.assertRegex(done.err, r"\b1\b")
            path.unlink()

    def left_out(self, count, *names):
        """What is good is packed; the others are counted, and --list-skipped names them."""
        texts, done = self.texts()
        self.assertEqual(texts, [b"good"])
        self.assertRegex(done.err, rf"\b{count}\b")
        listed = self.run_pack("--list-skipped")
        for name in names:
            self.assertIn(name, listed.err + listed.out)

    def test_hidden_files(self):
        for name in (".DS_Store", ".hidden.txt", ".git/config", ".cache/a.txt", "sub/.x", "sub/.ipynb_checkpoints/a.txt"):
            self.write(name, "hidden")
        self.write("good.txt", "good")
        self.left_out(6, ".DS_Store", ".hidden.txt")

    def test_a_hidden_file_that_is_named_is_meant(self):
        self.assertEqual(self.texts(inputs=[self.write(".hidden.txt", "meant")])[0], [b"meant"])

    def test_binary_files(self):
        for name, content in (("tool", ELF), ("a.png", PNG), ("picture.txt", PNG), ("a.npy", b"\x93NUMPY\x01\0" + ELF),
                              ("a.h5", b"\x89HDF\r\n\x1a\n" + ELF), ("a.pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + ELF),
                              ("a.pyc", b"\xa7\r\r\n\0\0\0\0" + ELF), ("a.safetensors", b"\x10\0\0\0\0\0\0\0{}" + ELF)):
            self.write(name, content)
        self.write("good.txt", "good")
        self.left_out(8, "tool", "picture.txt")

    def test_what_chainrule_wrote(self):
        (self.folder / "earlier").mkdir()
        (self.folder / "earlier/a.txt").write_text("earlier")
        for number, more in enumerate(([], ["--held-out", "0.5"])):
            for name in "abcdefgh":
                (self.folder / f"earlier/{name}.txt").write_text(f"earlier {name}")
            chainrule("pack", "--tokenizer", TOKENIZER, "--input", self.folder / "earlier", "--output",
                      self.corpus / f"out {number}", *more, check=0)
        self.write("good.txt", "good")
        texts, done = self.texts()
        self.assertEqual(texts, [b"good"])
        self.assertNotIn("internal", done.err)

    def test_an_earlier_run_and_report(self):
        for name in ("run/config.cfg", "run/metrics.jsonl", "run/environment.json", "run/lock",
                     "run/checkpoints/step-00000001/manifest.json", "run/checkpoints/step-00000001/model.h5",
                     "report/report.json", "report/documents.csv", "report/domains.csv", "report/environment.json"):
            self.write(name, '{"format": "chainrule-checkpoint", "step": 1}\n')
        self.write("run/config.cfg", "# A run of chainrule pretrain: the options it was started with.\nsteps = 1\n")
        self.write("report/report.json", '{"format": "chainrule-report", "tokens_scored": 1}\n')
        self.write("good.txt", "good")
        self.assertEqual(self.texts()[0], [b"good"])

    def test_links_to_files(self):
        """A Hugging Face cache: names are links to blobs whose names say nothing."""
        blobs = self.folder / "blobs"
        blobs.mkdir()
        (blobs / "0123abcd").write_text("\n".join(LINES))
        (blobs / "4567ef").write_text("plain")
        snapshot = self.corpus / "snapshots/main"
        snapshot.mkdir(parents=True)
        (snapshot / "train.jsonl").symlink_to("../../../blobs/0123abcd")
        (snapshot / "zzz.txt").symlink_to(blobs / "4567ef")
        self.assertEqual(self.texts()[0], [*TEXTS, b"plain"])
        self.assertEqual(self.texts(inputs=[snapshot / "train.jsonl"])[0], TEXTS)

    def test_link_cycles(self):
        self.write("good.txt", "good")
        (self.corpus / "up").symlink_to("..")
        (self.corpus / "self").symlink_to("self")
        (self.corpus / "a").symlink_to("b")
        (self.corpus / "b").symlink_to("a")
        done = self.run_pack()
        if done.returncode != 0:
            self.assert_refused(done, 66, "corpus")
        else:
            self.assertEqual(self.texts()[0], [b"good"])

    def test_a_link_that_leads_nowhere_is_named(self):
        self.write("good.txt", "good")
        (self.corpus / "lost.txt").symlink_to("nowhere")
        done = self.run_pack("--list-skipped")
        self.assertIn("lost.txt", done.err + done.out)

    def test_the_same_file_twice_is_one_document(self):
        self.write("a.txt", "once")
        (self.corpus / "b.txt").symlink_to("a.txt")
        os.link(self.corpus / "a.txt", self.corpus / "c.txt")
        self.assertEqual(self.texts()[0].count(b"once"), 2)  # a hard link is a file of its own

    def test_pipes_and_devices(self):
        self.write("good.txt", "good")
        os.mkfifo(self.corpus / "pipe")
        self.assertEqual(self.texts()[0], [b"good"])
        self.assert_refused(self.run_pack(inputs=["/dev/null"]), (65, 66), "/dev/null")

    def test_tokenizers_learn_from_the_same(self):
        self.write("a.ndjson", "\n".join(LINES * 20))
        self.write(".DS_Store", ELF)
        self.write("tool", ELF)
        chainrule("tokenizer", "train", "--input", self.corpus, "--vocabulary-size", 262, "--output",
                  self.folder / "t.json", check=0)
        vocabulary = json.loads((self.folder / "t.json").read_text())["model"]["merges"]
        self.assertFalse([merge for merge in vocabulary if '"' in merge or "{" in merge], vocabulary)


if __name__ == "__main__":
    unittest.main()
