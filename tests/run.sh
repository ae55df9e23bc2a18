#!/usr/bin/env bash
# Sets everything up and passes the tests: packages, build, ctest. Further arguments go to ctest
# (tests/run.sh -LE slow; tests/run.sh -R tokenizer).
set -euo pipefail
cd "$(dirname "$0")/.."

jobs/setup.sh test
jobs/build.sh --tests
# Three times as many as there are processors: many tests wait more than they compute.
exec ctest --test-dir build/release --output-on-failure --no-tests=error --parallel $((3 * $(nproc))) "$@"
