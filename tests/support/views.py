"""Starts each rank in a working directory of its own, so that relative paths stand for disks that ranks do not share."""
import os

from program import MPIRUN, MPIRUN_FLAGS, PROGRAM, read_back, run_bounded


def in_views(views, *arguments, timeout=15, check=None, env=None):
    """Runs `chainrule ARGUMENTS` on a rank for each of the folders `views`, each rank in its folder. `arguments` that
    hold a list differ: one of its words a rank. `env` is a dictionary for all ranks, or a list with one a rank."""
    environments = env if isinstance(env, list) else [env or {}] * len(views)
    command = [MPIRUN, *MPIRUN_FLAGS]
    for rank, view in enumerate(views):
        words = [str(word[rank] if isinstance(word, list) else word) for word in arguments]
        given = [f"{name}={value}" for name, value in environments[rank].items()]
        command += [*([":"] if rank else []), "-n", "1", "-wdir", str(view), "/usr/bin/env", *given, PROGRAM, *words]
    return read_back(run_bounded(command, timeout, env=dict(os.environ)), check)
