#!/usr/bin/env bash
# flux: --job-name=pack
# flux: -N 1
# flux: -n 8
# flux: -c 1
# flux: -t 4h
# flux: --output="pack-{{id.dec}}.log"
# Text into a data set, a hundredth of its documents held out. It does not stop in the middle: give it the time it
# takes.
#   TOKENIZER=/data/tokenizer.json INPUT=/data/text OUTPUT=/data/corpus flux batch jobs/flux/pack.flux
: "${TOKENIZER:?set TOKENIZER to a tokenizer}"
: "${INPUT:?set INPUT to a file or folder of text}"
: "${OUTPUT:?set OUTPUT to a new folder}"
scheduler=flux nodes=1 ranks_per_node=8 threads=1  # as above
. "${CHAINRULE_JOBS:-$PWD/jobs}/batch_step.sh"
batch_step "${CHAINRULE:-chainrule}" pack --tokenizer "$TOKENIZER" --input "$INPUT" --held-out 0.01 --output "$OUTPUT"
