#!/usr/bin/env bash
# Fuzzes the parsers: each target for so many seconds, as many at once as there are processors. Anything that is found
# fails, and the input stays in build/fuzz/findings/. The program is one of AddressSanitizer's build.
#   tests/fuzz/run.sh SECONDS [TARGET...]
# A finding again: CHAINRULE_FUZZ_TARGET=gguf build/asan-ubsan/tests/fuzz/fuzz build/fuzz/findings/gguf-crash-...
# Once it is mended, its input goes into corpus/, which fuzz_corpus_test reads in every build.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-}
case "$seconds" in
  '' | *[!0-9]*)
    echo "usage: tests/fuzz/run.sh SECONDS [TARGET...]" >&2
    exit 64
    ;;
esac
shift
if [ $# -eq 0 ]; then
  for folder in tests/fuzz/corpus/*/; do set -- "$@" "$(basename "$folder")"; done
fi

echo "fuzz: building into build/asan-ubsan"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --preset asan-ubsan -DCHAINRULE_BUILD_TESTS=ON && cmake --build --preset asan-ubsan --target fuzz; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "fuzz: the build failed (its output is above)" >&2
  exit 70
fi

# New inputs that reach new code are kept in build/fuzz/corpus/, and the next run begins from them too.
fuzz_one() {
  local target=$1 seconds=$2 work=build/fuzz
  mkdir -p "$work/corpus/$target" "$work/findings" "$work/logs"
  local status=0
  CHAINRULE_FUZZ_TARGET=$target build/asan-ubsan/tests/fuzz/fuzz \
    -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=512 \
    -print_final_stats=1 -artifact_prefix="$work/findings/$target-" \
    "$work/corpus/$target" "tests/fuzz/corpus/$target" >"$work/logs/$target" 2>&1 || status=$?
  local inputs
  inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/logs/$target")
  if [ "$status" -eq 0 ] && [ "${inputs:-0}" -gt 0 ]; then
    echo "fuzz: $target: $inputs inputs, nothing found"
    return 0
  fi
  tail -n 60 "$work/logs/$target" >&2
  echo "fuzz: $target: FAILED (status $status, its log is above and in $work/logs/$target)" >&2
  return 1
}
export -f fuzz_one

printf '%s\n' "$@" | xargs -P "$(nproc)" -I TARGET bash -c 'fuzz_one TARGET '"$seconds"
