#!/usr/bin/env bash
# flux: --job-name=merge
# flux: -N 1
# flux: -n 1
# flux: -c 1
# flux: -t 1h
# flux: --output="merge-{{id.dec}}.log"
# The report of an evaluation's parts: see evaluate-array.
#   REPORT=/scratch/$USER/report-1 flux batch jobs/flux/merge.flux
: "${REPORT:?set REPORT to the report folder that the parts were given}"
scheduler=flux nodes=1 ranks_per_node=1 threads=1  # as above
. "${CHAINRULE_JOBS:-$PWD/jobs}/batch_step.sh"
batch_step "${CHAINRULE:-chainrule}" report merge "$REPORT".part-*-of-4 --report "$REPORT"
