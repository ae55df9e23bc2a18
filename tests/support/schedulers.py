"""Stand-ins for the commands of schedulers, which record how they were called, and folders to run job scripts in."""
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import time
import unittest

from program import SOURCE, read_back, run_bounded

JOBS = SOURCE / "jobs"

# Each records its name and words, one line a call.
RECORD = """#!/usr/bin/env bash
printf '%s' "$(basename "$0")" >>"$RECORDED"
[ $# -eq 0 ] || printf ' %q' "$@" >>"$RECORDED"
printf '\\n' >>"$RECORDED"
"""
# What starts ranks: runs the program once.
LAUNCHER = RECORD + """
while [ "$(basename "$1")" != chainrule ]; do shift; done
exec "$@"
"""
# The program: says how many threads it has, and ends with the next line of CODES; `wait` ends with 75 on USR1.
PROGRAM = RECORD + """
echo "threads $OMP_NUM_THREADS" >>"$RECORDED"
code=$(head -n 1 "$CODES")
sed -i 1d "$CODES"
if [ "$code" = wait ]; then
  trap 'echo "got USR1" >>"$RECORDED"; sleep 0.5; kill "$sleeper"; exit 75' USR1
  sleep 60 &
  sleeper=$!
  touch "$CODES.waits"
  wait
fi
exit "${code:-0}"
"""
# Submits: prints the next job id, in the scheduler's words.
NUMBER = """
number=$(($(cat "$RECORDED.number" 2>/dev/null || echo 100) + 1))
echo "$number" >"$RECORDED.number"
"""
FLUX = RECORD + """
case "$1 $2" in
  "job id") if [ $# -gt 3 ]; then echo "${@: -1}"; else cat; fi ;;
  "job last") echo 7 ;;
  "job kill") kill -USR1 "$(cat "$CODES.pid")" ;;
  "getattr jobid") echo 55 ;;
  "batch "* | "--parent batch") """ + NUMBER + """ echo "$number" ;;
  "resource list") echo "${FAILED_NODES:-}" ;;
  "run "*)
    while [ "$(basename "$1")" != chainrule ]; do shift; done
    echo $$ >"$CODES.pid"
    exec "$@" ;;
esac
"""
STAND_INS = {
    "slurm": {"sbatch": RECORD + NUMBER + "echo $number;cluster\n".replace(";", "\\;"), "srun": LAUNCHER,
              "scontrol": RECORD +
              'case $1 in show) echo "   ReqNodeList=(null) ExcNodeList=${BEFORE:-(null)}" ;; esac\n',
              "sinfo": RECORD + 'echo "${FAILED_NODES:-}"\n',
              "squeue": RECORD + '[ ! -e "$RECORDED.down" ] || { echo "Unable to contact slurm controller" >&2; exit 1; }\n'
                                 '[ -e "$RECORDED.states" ] || { echo "Invalid job id specified" >&2; exit 1; }\n'
                                 'cat "$RECORDED.states"\n'},
    "pbs": {"qsub": RECORD + NUMBER + "echo $number.server\n", "pbsnodes": RECORD, "qstat": RECORD, "mpirun": LAUNCHER},
    "lsf": {"bsub": RECORD + NUMBER + 'cat >/dev/null; echo "Job <$number> is submitted to queue <normal>."\n',
            "bjobs": RECORD, "mpirun": LAUNCHER},
    "flux": {"flux": FLUX},
    "local": {"mpirun": LAUNCHER},
}


class SchedulerTest(unittest.TestCase):
    """A folder (with a space and a quote in its name) to submit from, and one with stand-ins for commands."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="chainrule jobs' "))
        self.addCleanup(shutil.rmtree, self.folder)
        self.commands = self.folder / "commands"
        self.commands.mkdir()
        self.recorded = self.folder / "recorded"
        self.codes = self.folder / "codes"
        self.program = self.stand_in("chainrule", PROGRAM)
        self.env = {**os.environ, "PATH": f"{self.commands}:/usr/bin:/bin", "RECORDED": str(self.recorded),
                    "CODES": str(self.codes), "CHAINRULE": str(self.program)}

    def stand_in(self, name, text):
        path = self.commands / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def pretend(self, scheduler):
        for name, text in STAND_INS[scheduler].items():
            self.stand_in(name, text)

    def run_script(self, *words, check=0, env=None, timeout=60):
        done = run_bounded([str(word) for word in words], timeout, cwd=self.folder, env={**self.env, **(env or {})})
        return read_back(done, check)

    def submit(self, *words, **more):
        return self.run_script(JOBS / "submit.sh", *words, **more)

    def calls(self, *names):
        """Recorded calls of these commands, in order."""
        lines = self.recorded.read_text().splitlines() if self.recorded.exists() else []
        return [line for line in lines if not names or line.split(" ")[0] in names]

    def start_script(self, *words, env=None, **more):
        """Starts it and waits until the program does."""
        process = subprocess.Popen([str(word) for word in words], cwd=self.folder, env={**self.env, **(env or {})},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
        waits = pathlib.Path(f"{self.codes}.waits")
        deadline = time.monotonic() + 30
        while not waits.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return process
