#!/usr/bin/env bash
# Kills runs of a tiny model at random moments, and at random calls of the system on the run's files, goes on with 2, 4,
# 3 and 1 ranks in turn, and compares what comes out with the run that was never disturbed. Prints cycles (starts that
# were killed), finished runs and the steps that had to be taken again; the first difference is the end.
#   tests/faults/soak.sh CYCLES [SEED]
set -euo pipefail
cd "$(dirname "$0")/../.."

case "${1:-}" in
  '' | *[!0-9]*)
    echo "usage: tests/faults/soak.sh CYCLES [SEED]" >&2
    exit 64
    ;;
esac
build=${CHAINRULE_BUILD:-build/release}
export CHAINRULE_PROGRAM="$PWD/$build/chainrule" CHAINRULE_MPIRUN="${CHAINRULE_MPIRUN:-mpirun}"
export CHAINRULE_TRAINING_FIXTURE="$PWD/$build/tests/support/make_training_fixture"
export CHAINRULE_FAILING_CALLS="$PWD/$build/tests/support/libfailing_calls.so"
export PYTHONPATH="$PWD/tests/support" OMP_NUM_THREADS=1
exec /usr/bin/python3 -B tests/faults/soak.py "$@"
