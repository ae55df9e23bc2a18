#!/usr/bin/env bash
# Tests jobs/parquet_to_jsonl.py in a virtual environment of its own with PyPI's pyarrow: Debian 12 has no reader of
# Parquet. Not part of tests/run.sh, which needs no network beyond Debian's.
set -euo pipefail
cd "$(dirname "$0")"

environment=${1:-../../build/parquet-venv}
if ! [ -x "$environment/bin/python" ]; then python3 -m venv "$environment"; fi
"$environment/bin/python" -m pip install --quiet pyarrow
"$environment/bin/python" -B -m unittest -v test_parquet.py
