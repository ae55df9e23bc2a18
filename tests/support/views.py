"""Starts each rank in a working directory of its own, so that relative paths stand for disks that ranks do not share."""
import os
import shlex

from program import MPIRUN, MPIRUN_FLAGS, PROGRAM, read_back, run_bounded


def in_views(views, *arguments, timeout=15, check=None, env=None):
    """Runs `chainrule ARGUMENTS` on a rank for each of the folders `views`, each rank in its folder. `arguments` that
    hold a list differ: one of its words a rank. `env` is a dictionary for all ranks, or a list with one a rank."""
    environments = env if isinstance(env, list) else [env or {}] * len(views)
    # By a shell that looks which rank it is: Open MPI 5.0.7's mpirun crashes on several programs with `:` between.
    script = 'case "$OMPI_COMM_WORLD_RANK" in\n'
    for rank, view in enumerate(views):
        words = [str(word[rank] if isinstance(word, list) else word) for word in arguments]
        given = [f"{name}={value}" for name, value in environments[rank].items()]
        command = ["/usr/bin/env", *given, PROGRAM, *words]
        script += f"{rank}) cd {shlex.quote(str(view))} && exec {' '.join(map(shlex.quote, command))};;\n"
    command = [MPIRUN, *MPIRUN_FLAGS, "-n", str(len(views)), "/bin/sh", "-c", script + "esac"]
    return read_back(run_bounded(command, timeout, env=dict(os.environ)), check)
