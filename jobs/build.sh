#!/usr/bin/env bash
# Configures and builds build/release/chainrule, with a line of progress now and then; all output if something fails.
#   jobs/build.sh            the program and its manual, as `cmake --install build/release --prefix PREFIX` wants them
#   jobs/build.sh --tests    and the tests
set -euo pipefail
cd "$(dirname "$0")/.."

tests=OFF
[ "${1:-}" != "--tests" ] || tests=ON

# While a build runs: how far its log says that it is.
report_progress() {
  while sleep 30; do
    sed -n 's/^\[\([0-9]*\)\/\([0-9]*\)\].*/build: \1 of \2 steps/p' "$1" | tail -n 1
  done
}

quietly() {
  local log status=0
  log=$(mktemp)
  report_progress "$log" &
  local reporter=$!
  "$@" >"$log" 2>&1 || status=$?
  kill "$reporter"
  wait "$reporter" 2>/dev/null || true
  if [ "$status" -ne 0 ]; then
    cat "$log" >&2
    rm -f "$log"
    echo "build: '$*' failed (its output is above)" >&2
    exit 70
  fi
  rm -f "$log"
}

started=$SECONDS
echo "build: configuring and compiling into build/release (the first time takes a few minutes)"
quietly cmake --preset release -DCHAINRULE_BUILD_TESTS="$tests"
quietly cmake --build --preset release
echo "build: done in $((SECONDS - started)) s: $(build/release/chainrule --version)"
