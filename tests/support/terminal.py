"""Runs the program at a terminal."""
import os
import pty
import subprocess

from program import PROGRAM


def at_terminal(*arguments, env=None):
    """Exit code and output (bytes, line ends as written) of `chainrule ARGUMENTS` with a terminal as stdout."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM")}
    environment.update({"TERM": "xterm-256color", **(env or {})})
    process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=theirs, stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, env=environment)
    os.close(theirs)
    output = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not block:
            break
        output += block
    os.close(ours)
    process.stderr.read()
    process.stderr.close()
    return process.wait(timeout=60), output.replace(b"\r\n", b"\n")
