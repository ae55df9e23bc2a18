"""The small checkpoints and data sets that the tests of `chainrule evaluate` share."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest


class EvaluationTest(unittest.TestCase):
    """A folder (with a space in its name) with the fixture of make_evaluation_fixture.cpp, made once a class."""

    @classmethod
    def setUpClass(cls):
        cls.fixture = pathlib.Path(tempfile.mkdtemp(prefix="chainrule evaluate "))
        cls.addClassCleanup(shutil.rmtree, cls.fixture)
        subprocess.run([os.environ["CHAINRULE_EVALUATION_FIXTURE"], cls.fixture], check=True)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.fixture))

    def options(self, report="report", model="model", data="data", *more):
        return ["evaluate", "--model", self.fixture / model, "--data", self.fixture / data,
                "--report", self.folder / report, *more]
