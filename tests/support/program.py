"""Runs the built chainrule program, alone or under mpirun, for the tests in tests/cli and tests/faults."""
import os
import pathlib
import subprocess

PROGRAM = os.environ["CHAINRULE_PROGRAM"]
MPIRUN = os.environ["CHAINRULE_MPIRUN"]
SOURCE = pathlib.Path(__file__).resolve().parents[2]
# Looking for fast networks takes each start time. (TCP stays: there may be no room for shared memory.)
MPIRUN_FLAGS = ["--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1", "--mca", "pml", "ob1",
                "--mca", "btl", "^ofi"]


def run_bounded(command, timeout, input=None, **more):
    """subprocess.run with captured output; what takes longer is ended so that a launcher takes its ranks along, and
    fails the test."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    try:
        out, err = process.communicate(input, timeout=timeout)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            out, err = process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
        raise AssertionError(f"{' '.join(map(str, command))}\nstill runs after {timeout} s; it said:\n"
                             f"{err.decode('utf-8', 'replace')[-4000:]}") from None
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def chainrule(*arguments, ranks=None, timeout=120, check=None, env=None, input=None, cwd=None):
    """Runs `chainrule ARGUMENTS`; ranks None means without a launcher. With check (an exit code) a different code
    fails the test, showing what the program printed. Output is bytes-decoded text."""
    command = [PROGRAM, *map(str, arguments)]
    if ranks is not None:
        command = [MPIRUN, *MPIRUN_FLAGS, "-n", str(ranks), *command]
    return read_back(run_bounded(command, timeout, env={**os.environ, **(env or {})}, input=input, cwd=cwd), check)


def read_back(done, check=None):
    """Adds what was said as text: out and err."""
    done.out = done.stdout.decode("utf-8", "replace")
    # Tests put more ranks on a machine than it has cores; that the program warns of it is tested by itself.
    done.err = "".join(line for line in done.stderr.decode("utf-8", "replace").splitlines(keepends=True)
                       if "take turns" not in line)
    if check is not None and done.returncode != check:
        raise AssertionError(f"{' '.join(map(str, done.args))}\nexit code {done.returncode}, expected {check}\n"
                             f"stdout:\n{done.out}\nstderr:\n{done.err}")
    return done
