#!/usr/bin/env bash
# flux: --job-name=evaluate
# flux: -N 1
# flux: -n 4
# flux: -c 8
# flux: -t 4h
# flux: --output="evaluate-{{id.dec}}.log"
# An evaluation in four parts, each a job of its own, and a job behind them that merges their reports.
#   export MODEL=/scratch/$USER/run-1 DATA=/data/corpus/held-out REPORT=/scratch/$USER/report-1
#   for part in 1 2 3 4; do
#     ids+=(--dependency=afterok:$(flux batch --env=CHAINRULE_PART=$part jobs/flux/evaluate-array.flux))
#   done
#   flux batch "${ids[@]}" jobs/flux/merge.flux
: "${MODEL:?set MODEL to a checkpoint or run directory}"
: "${DATA:?set DATA to the data set}"
: "${REPORT:?set REPORT to a new folder}"
scheduler=flux nodes=1 ranks_per_node=4 threads=8 time_seconds=14400 parts=4  # as above
. "${CHAINRULE_JOBS:-$PWD/jobs}/batch_step.sh"
batch_step "${CHAINRULE:-chainrule}" evaluate --model "$MODEL" --data "$DATA" --report "$REPORT"
