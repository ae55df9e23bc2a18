#!/usr/bin/env bash
# flux: --job-name=evaluate
# flux: -N 1
# flux: -n 4
# flux: -c 8
# flux: -t 4h
# flux: --output="evaluate-{{id.dec}}.log"
# Cross-entropy and perplexity of a data set under a checkpoint (or a run's latest one).
#   export MODEL=/scratch/$USER/run-1 DATA=/data/corpus/held-out REPORT=/scratch/$USER/report-1
#   flux batch jobs/flux/evaluate.flux
: "${MODEL:?set MODEL to a checkpoint or run directory}"
: "${DATA:?set DATA to the data set}"
: "${REPORT:?set REPORT to a new folder}"
scheduler=flux nodes=1 ranks_per_node=4 threads=8 time_seconds=14400  # as above
jobs=${CHAINRULE_JOBS:-$PWD/jobs}
job_script=$jobs/flux/evaluate.flux
. "$jobs/batch_step.sh"
batch_step "${CHAINRULE:-chainrule}" evaluate --model "$MODEL" --data "$DATA" --report "$REPORT"
