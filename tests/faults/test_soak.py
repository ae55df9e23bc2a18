"""A few cycles of soak.sh."""
import tempfile
import unittest

from soak import Soak


class SoakTest(unittest.TestCase):
    def test_killed_and_resumed(self):
        with tempfile.TemporaryDirectory(prefix="chainrule soak ") as folder:
            soak = Soak(7, folder)
            soak.go(10, lambda text: None)
            self.assertGreaterEqual(soak.cycles, 10)
            self.assertGreaterEqual(soak.finished, 1)


if __name__ == "__main__":
    unittest.main()
