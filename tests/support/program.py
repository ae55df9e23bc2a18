"""Runs the built chainrule program, alone or under mpirun, for the tests in tests/cli and tests/faults."""
import os
import pathlib
import subprocess

PROGRAM = os.environ["CHAINRULE_PROGRAM"]
MPIRUN = os.environ["CHAINRULE_MPIRUN"]
SOURCE = pathlib.Path(__file__).resolve().parents[2]


def chainrule(*arguments, ranks=None, timeout=120, check=None, env=None, input=None):
    """Runs `chainrule ARGUMENTS`; ranks None means without a launcher. With check (an exit code) a different code
    fails the test, showing what the program printed. Output is bytes-decoded text."""
    command = [PROGRAM, *map(str, arguments)]
    if ranks is not None:
        command = [MPIRUN, "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1",
                   "-n", str(ranks), *command]
    done = subprocess.run(command, capture_output=True, timeout=timeout, env={**os.environ, **(env or {})},
                          input=input)
    done.out = done.stdout.decode("utf-8", "replace")
    # Tests put more ranks on a machine than it has cores; that the program warns of it is tested by itself.
    done.err = "".join(line for line in done.stderr.decode("utf-8", "replace").splitlines(keepends=True)
                       if "take turns" not in line)
    if check is not None and done.returncode != check:
        raise AssertionError(f"{' '.join(command)}\nexit code {done.returncode}, expected {check}\n"
                             f"stdout:\n{done.out}\nstderr:\n{done.err}")
    return done
