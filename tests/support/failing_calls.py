"""Environments in which system calls of the program fail."""
import atexit
import functools
import os
import pathlib
import shutil
import tempfile


@functools.cache
def library():
    """The preloaded library in a place without spaces and colons, at which LD_PRELOAD is cut."""
    folder = tempfile.mkdtemp(prefix="failing-calls-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return shutil.copy(os.environ["CHAINRULE_FAILING_CALLS"], pathlib.Path(folder) / "failing_calls.so")


def failing(*rules):
    """Rules "call:part of the path:error:times"; see failing_calls.c."""
    sanitizers = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
    return {"LD_PRELOAD": str(library()), "FAILING_CALLS": " ".join(rules), "ASAN_OPTIONS": sanitizers}
