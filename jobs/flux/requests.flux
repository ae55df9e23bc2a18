#!/usr/bin/env bash
# flux: --job-name=requests
# flux: -N 1
# flux: -n 4
# flux: -c 8
# flux: -t 4h
# flux: --output="requests-{{id.dec}}.log"
# How likely continuations are behind their contexts, a request a line (docs/requests.md).
#   MODEL=/scratch/$USER/run-1 REQUESTS=requests.jsonl OUTPUT=answers.jsonl flux batch jobs/flux/requests.flux
: "${MODEL:?set MODEL to a checkpoint or run directory}"
: "${REQUESTS:?set REQUESTS to a file of requests}"
: "${OUTPUT:?set OUTPUT to a new file}"
scheduler=flux nodes=1 ranks_per_node=4 threads=8 time_seconds=14400  # as above
jobs=${CHAINRULE_JOBS:-$PWD/jobs}
job_script=$jobs/flux/requests.flux
. "$jobs/batch_step.sh"
batch_step "${CHAINRULE:-chainrule}" evaluate --model "$MODEL" --requests "$REQUESTS" --output "$OUTPUT"
