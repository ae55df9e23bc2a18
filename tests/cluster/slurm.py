"""A Slurm of one machine for the tests: its daemons, a partition or two, and nodes that are all this machine."""
import contextlib
import getpass
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HOST = socket.gethostname().split(".")[0]


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Slurm:
    """Started with `with`; its commands run with `environment`."""

    def __init__(self, nodes=2, cpus=2):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # sockets want short paths
        self.nodes = [f"n{i + 1}" for i in range(nodes)]
        self.cpus = cpus
        self.processes = {}
        # Nodes share this machine's cores, of which ranks that wait must let go.
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf"), "OMPI_MCA_mpi_yield_when_idle": "1"}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        for name in ("munge", "state", *(f"spool/{node}" for node in self.nodes), *(f"tmp/{node}" for node in self.nodes)):
            (self.folder / name).mkdir(mode=0o700, parents=True)
        (self.folder / "munge/key").write_bytes(os.urandom(128))
        (self.folder / "munge/key").chmod(0o600)
        self.write_configuration()
        munge = self.folder / "munge"
        self.run_daemon("munged", "--foreground", "--force", f"--key-file={munge}/key", f"--socket={munge}/socket",
                        f"--pid-file={munge}/pid", f"--seed-file={munge}/seed", f"--log-file={munge}/log")
        self.wait_until(lambda: (munge / "socket").exists(), "munged")
        self.run_daemon("slurmctld", "-D", "-c")
        for node in self.nodes:
            self.run_daemon("slurmd", "-D", "-N", node, name=node)
        self.wait_until(lambda: self.say("sinfo", "-h", "-N", "-p", "batch", "-o", "%T").split() == ["idle"] * len(self.nodes),
                        "nodes")

    def write_configuration(self):
        ports = free_ports(1 + len(self.nodes))
        user = getpass.getuser()
        lines = [
            "ClusterName=test", f"SlurmctldHost={HOST}(127.0.0.1)", f"SlurmctldPort={ports[0]}",
            f"SlurmUser={user}", f"SlurmdUser={user}", "AuthType=auth/munge", "CryptoType=crypto/munge",
            f"AuthInfo=socket={self.folder}/munge/socket",
            f"StateSaveLocation={self.folder}/state", f"SlurmdSpoolDir={self.folder}/spool/%n",
            f"TmpFS={self.folder}/tmp/%n",  # where PMIx keeps a step's files: nodes of one machine would share /tmp

            f"SlurmctldPidFile={self.folder}/slurmctld.pid", f"SlurmdPidFile={self.folder}/%n.pid",
            f"SlurmctldLogFile={self.folder}/slurmctld.log", f"SlurmdLogFile={self.folder}/%n.log",
            "ProctrackType=proctrack/linuxproc", "TaskPlugin=task/affinity", "JobAcctGatherType=jobacct_gather/none",
            "AccountingStorageType=accounting_storage/none", "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_Core", "MpiDefault=pmix", "ReturnToService=2", "KillWait=10",
            "SlurmdParameters=config_overrides", "SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0",
            "PreemptType=preempt/partition_prio", "PreemptMode=REQUEUE", "MinJobAge=600", "SlurmdTimeout=30",
            "InactiveLimit=0", "FirstJobId=100",
        ]
        for node, port in zip(self.nodes, ports[1:], strict=True):
            lines.append(f"NodeName={node} NodeHostname={HOST} NodeAddr=127.0.0.1 Port={port} CPUs={self.cpus} "
                         "RealMemory=2000 State=UNKNOWN")
        lines.append("PartitionName=batch Nodes=ALL Default=YES MaxTime=60 State=UP PriorityTier=1")
        lines.append("PartitionName=urgent Nodes=ALL MaxTime=60 State=UP PriorityTier=2 PreemptMode=off")
        (self.folder / "slurm.conf").write_text("\n".join(lines) + "\n")
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")

    def run_daemon(self, program, *arguments, name=None):
        path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if path is None:
            raise AssertionError(f"{program} is not installed; jobs/setup.sh test installs it")
        name = name or program
        out = open(self.folder / f"{name}.out", "wb")
        with out:
            self.processes[name] = subprocess.Popen([path, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                                    env=self.environment)

    def wait_until(self, holds, what, seconds=60):
        end = time.monotonic() + seconds
        while not holds():
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise AssertionError(f"{name} ended with {process.returncode}:\n{self.log(name)}")
            if time.monotonic() > end:
                raise AssertionError(f"{what}: waited {seconds} s\n{self.log('slurmctld')}")
            time.sleep(0.1)

    def log(self, name):
        text = ""
        for path in (self.folder / f"{name}.out", self.folder / f"{name}.log"):
            if path.exists():
                text += "\n".join(path.read_text(errors="replace").splitlines()[-30:]) + "\n"
        return f"-- {name} --\n{text}"

    def say(self, *command):
        """What a command of Slurm's says on standard output; nothing where it fails."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        return done.stdout if done.returncode == 0 else ""

    def job(self, number):
        """What scontrol shows of a job: {"JobState": ..., "Restarts": ...}."""
        text = self.say("scontrol", "--oneliner", "show", "job", str(number))
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    def wait_for_job(self, number, *states, seconds=120):
        """Until the job is in one of the states; a requeued one is not left to wait for its two minutes, but for what is
        left of it on its nodes, beside which it could not start."""
        held_since = []

        def reached():
            job = self.job(number)
            if job.get("JobState") == "PENDING" and job.get("Reason") == "BeginTime":
                held_since.append(time.monotonic())
                if time.monotonic() - held_since[0] > 4:
                    self.say("scontrol", "update", f"JobId={number}", "StartTime=now")
            return job.get("JobState") in states
        try:
            self.wait_until(reached, f"job {number} to be {' or '.join(states)}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.job(number)}") from None
        return self.job(number)

    def kill_what_is_left(self):
        """So that nothing of a failed test runs on: whatever was started with this Slurm's configuration."""
        mine = f"SLURM_CONF={self.folder}/slurm.conf".encode()
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # ended, or another user's
                if mine in (folder / "environ").read_bytes().split(b"\0"):
                    os.kill(int(folder.name), signal.SIGKILL)

    def stop(self):
        self.say("scancel", "--user", getpass.getuser())
        with contextlib.suppress(AssertionError):
            self.wait_until(lambda: not self.say("squeue", "--noheader").split(), "jobs to end", 15)
        for process in reversed(list(self.processes.values())):
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.kill_what_is_left()
        shutil.rmtree(self.folder, ignore_errors=True)

