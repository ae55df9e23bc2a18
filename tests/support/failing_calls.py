"""The environment in which system calls fail as failing_calls.c is told to."""
import os


def failing(*rules):
    """Rules "call:part of the path:error:times"; see failing_calls.c."""
    sanitizers = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
    return {"LD_PRELOAD": os.environ["CHAINRULE_FAILING_CALLS"], "FAILING_CALLS": " ".join(rules),
            "ASAN_OPTIONS": sanitizers}
