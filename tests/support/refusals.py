"""What every refusal has in common: a documented exit code and one message that names what is wrong."""
import pathlib
import shutil

DOCUMENTED = (0, 64, 65, 66, 70, 71, 73, 74, 75)


def messages(done):
    """Lines of the program's own on stderr, without warnings and progress."""
    return [line for line in done.err.splitlines()
            if line.startswith("chainrule: ") and not line.startswith("chainrule: warning: ")]


class Refusals:
    """Added to a unittest.TestCase."""

    def assert_refused(self, done, codes, *said):
        """One of the exit codes, and one message that holds each of the words (a tuple: one of them)."""
        codes = codes if isinstance(codes, tuple) else (codes,)
        self.assertIn(done.returncode, codes, done.err[-3000:])
        self.assertEqual(len(messages(done)), 1, done.err[-3000:])
        for words in said:
            words = words if isinstance(words, tuple) else (words,)
            self.assertTrue(any(str(word) in messages(done)[0] for word in words),
                            f"none of {words} in: {messages(done)[0]}")
        return done


def state_of(folder):
    """Every path below folder with its bytes, links' targets, and None for folders: to see that nothing changed."""
    state = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            state[name] = path.readlink()
        else:
            state[name] = path.read_bytes() if path.is_file() else None
    return state


def copied(source, target):
    shutil.copytree(source, target, symlinks=True)
    return target
