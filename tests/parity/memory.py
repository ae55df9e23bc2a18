"""Peak memory (PSS: shared pages are divided by those that share them) of `evaluate`, sampled while it runs.

    python memory.py PROGRAM MODEL DATA RANKS
"""
import pathlib
import subprocess
import sys
import tempfile
import time

KINDS = {"Pss": "all", "Pss_Anon": "of its own", "Pss_File": "files"}


def ranks_below(parent, program):
    """Processes of the program started by this one or by those it started."""
    children = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, waiting = [], [parent]
    while waiting:
        process = waiting.pop()
        waiting += children.get(process, [])
        try:
            if pathlib.Path(f"/proc/{process}/exe").resolve() == program:
                found.append(process)
        except OSError:
            pass
    return found


def sample(processes):
    """Bytes of all of them together, by kind."""
    total = dict.fromkeys(KINDS, 0)
    for process in processes:
        try:
            lines = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            kind, _, value = line.partition(":")
            if kind in total:
                total[kind] += 1024 * int(value.split()[0])
    return total


def main():
    program, model, data, ranks = pathlib.Path(sys.argv[1]).resolve(), *sys.argv[2:5]
    with tempfile.TemporaryDirectory() as report:
        begin = time.monotonic()
        process = subprocess.Popen(["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", ranks,
                                    program, "evaluate", "--model", model, "--data", data, "--report", report,
                                    "--context-length", "512", "--micro-batch", "1", "--threads", "1"])
        peak = dict.fromkeys(KINDS, 0)
        while process.poll() is None:
            peak = max(peak, sample(ranks_below(process.pid, program)), key=lambda kinds: kinds["Pss"])
            time.sleep(0.25)
    if process.returncode != 0:
        raise SystemExit(f"evaluate ended with exit code {process.returncode}")
    sizes = ", ".join(f"{name} {peak[kind] / 2**30:.2f} GiB" for kind, name in KINDS.items())
    print(f"{ranks} ranks: peak memory {sizes}, in {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
