"""Rows of Parquet files as JSON lines."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import pyarrow
import pyarrow.parquet

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "jobs/parquet_to_jsonl.py"


class Parquet(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="parquet tests ")
        self.addCleanup(scratch.cleanup)
        self.file = pathlib.Path(scratch.name) / "rows.parquet"
        self.rows = [{"text": f"row {number}\n“语”\u2028", "n": number, "page": str(number)} for number in range(2500)]
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(self.rows), self.file, row_group_size=700)

    def run_script(self, *arguments):
        return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True)

    def test_rows_are_lines_in_their_order(self):
        done = self.run_script(self.file, self.file)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()],
                         [{"text": row["text"]} for row in self.rows] * 2)

    def test_columns_are_chosen(self):
        done = self.run_script("--column", "text", "--column", "page", self.file)
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()],
                         [{"text": row["text"], "page": row["page"]} for row in self.rows])

    def test_a_column_that_is_not_there_and_a_damaged_file_are_refused(self):
        done = self.run_script("--column", "body", self.file)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("no column 'body' among ['text', 'n', 'page']", done.stderr)
        self.file.write_bytes(self.file.read_bytes()[:-100])
        self.assertNotEqual(self.run_script(self.file).returncode, 0)


if __name__ == "__main__":
    unittest.main()
