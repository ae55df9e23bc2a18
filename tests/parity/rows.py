"""The table of checks: what was measured beside what it may be."""
import sys

failed = False


def row(check, measured, bound):
    """Prints what was measured beside what it may be at most (a difference, or a number of differences)."""
    global failed
    good = bool(measured <= bound)
    failed = failed or not good
    print(f"{check:66}{measured:>10.3g} of {bound:<8.3g}{'ok' if good else 'DIFFERENT'}", flush=True)


def finish():
    sys.exit(failed)
