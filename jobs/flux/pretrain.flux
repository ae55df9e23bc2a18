#!/usr/bin/env bash
# flux: --job-name=pretrain
# flux: -N 2
# flux: -n 8
# flux: -c 8
# flux: -t 12h
# flux: --output="pretrain-{{id.dec}}.log"
# Pretraining that survives its time limit: three minutes before the limit Flux sends USR1, every rank stops at the
# same step with a checkpoint (exit code 75), and the job submits itself again, where the same command resumes.
#   DATA=/data/corpus RUN=/scratch/$USER/run-1 CONFIG=options.cfg flux batch jobs/flux/pretrain.flux
# CONFIG has the options of the model and the schedule (lines 'name = value'; see jobs/examples). CHAINRULE_JOBS is the
# folder of batch_step.sh, where that is not jobs/ in the folder that this is submitted from.
: "${DATA:?set DATA to the data set}"
: "${RUN:?set RUN to the run directory}"
: "${CONFIG:?set CONFIG to an options file (jobs/examples)}"
scheduler=flux nodes=2 ranks_per_node=4 threads=8 time_seconds=43200  # as above
jobs=${CHAINRULE_JOBS:-$PWD/jobs}
job_script=$jobs/flux/pretrain.flux
. "$jobs/batch_step.sh"
batch_step "${CHAINRULE:-chainrule}" pretrain --config "$CONFIG" --data "$DATA" --run "$RUN"
