#!/usr/bin/env bash
# Configures and builds build/release/chainrule, quietly unless something fails.
#   jobs/build.sh            the program
#   jobs/build.sh --tests    the program and its tests
set -euo pipefail
cd "$(dirname "$0")/.."

tests=OFF
target=(--target chainrule)
if [ "${1:-}" = "--tests" ]; then
  tests=ON
  target=()
fi

quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
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
quietly cmake --build --preset release "${target[@]}"
echo "build: done in $((SECONDS - started)) s: $(build/release/chainrule --version)"
