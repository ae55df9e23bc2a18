# shellcheck shell=bash disable=SC2154  # variables are set by scripts that source this
# Sourced by job scripts, inside a batch job: runs one chainrule command on all ranks of the job, passes the warning
# before the time limit on to it, and puts the job back into the queue where the command asks for that (exit code 75).
#   scheduler=slurm              # slurm, pbs, flux, lsf or local
#   . "$jobs/batch_step.sh"
#   batch_step chainrule pretrain --data ...
# Variables that a script may set before:
#   nodes, ranks_per_node, threads   what it asked for (Slurm says it itself)
#   time_seconds, warning_seconds    time limit, and how long before it to stop
#   parts                            N: the command is part I of N, I the job's index in its array
#   on_stop                          of exit code 75: requeue (as it is without), next (a dependent job goes on, so the
#                                    job ends with 0) or end (with 75: the last of a chain)
#   continues=yes                    what the command makes may be there already, and the job is done then
#   again                            how many times `local` goes on after exit code 75
#   job_folder, job_script           the folder for what jobs leave, and the script to submit again (PBS, Flux)
#   made_line                        the command whose product this job completes, for job_folder/made

say() { echo "job $job_id: $*" >&2; }

# needs NAME...: ends the script, naming those of these variables that are not set.
needs() {
  local name missing=''
  for name in "$@"; do [ -n "${!name:-}" ] || missing+=" $name"; done
  [ -z "$missing" ] || { echo "job script: set$missing (the script's first lines say to what)" >&2; exit 64; }
}

# The last value of option NAME among words (--name value or --name=value); nothing where it is not given.
option_value() {
  local name=$1 value='' word
  shift
  while [ $# -gt 0 ]; do
    word=$1
    shift
    case $word in
      "--$name") value=${1-} ;;
      "--$name="*) value=${word#*=} ;;
    esac
  done
  printf '%s' "$value"
}

# The file or folder that a command makes, if any. What is there under this name is whole: chainrule renames it there
# last. A run has no such name; `pretrain` itself says that it is finished.
product_of() {
  local command=$1 part folder
  shift
  folder=$(option_value report "$@")
  part=$(option_value part "$@")
  case $command in
    evaluate)
      if [ -n "$part" ]; then
        :  # evaluate itself says whether a part is there, of this evaluation or of another
      elif [ -n "$folder" ] && [ "$(option_value protocol "$@")" = all ]; then
        printf '%s' "${folder%/}/protocols.json"
      elif [ -n "$folder" ]; then
        printf '%s' "${folder%/}/report.json"
      else
        option_value output "$@"
      fi ;;
    report) [ -z "$folder" ] || printf '%s' "${folder%/}/report.json" ;;
    pack)
      if [ -n "$(option_value held-out "$@")" ]; then
        printf '%s' "$(option_value output "$@")/train/index.json"
      else
        printf '%s' "$(option_value output "$@")/index.json"
      fi ;;
    tokenizer | convert | export) option_value output "$@" ;;
  esac
}

# newer_input PRODUCT COMMAND...: the first file or folder that the command reads and that changed after the product was
# made; nothing where there is none.
newer_input() {
  local product=$1 option source inside
  shift
  for option in model baseline data tokenizer init; do
    source=$(option_value "$option" "$@")
    [ -n "$source" ] || continue
    for inside in "$source" "$source/index.json" "$source/train/index.json" "$source/checkpoints"; do
      if [ -e "$inside" ] && [ "$inside" -nt "$product" ]; then
        printf '%s' "$source"
        return
      fi
    done
  done
}

# Whether the jobs of a folder made what is there by this very command.
is_made_by() { grep -Fxqs -- "$2" "$1/made"; }

# Who this job is: its id, and its index in an array.
identify_job() {
  case $scheduler in
    slurm)
      job_id=$SLURM_JOB_ID part=${SLURM_ARRAY_TASK_ID:-}
      [ -z "$part" ] || job_id=${SLURM_ARRAY_JOB_ID}_$part
      [ "${SLURM_RESTART_COUNT:-0}" -eq 0 ] || continues=yes ;;
    pbs) job_id=$PBS_JOBID part=${PBS_ARRAY_INDEX:-} ;;
    lsf)
      job_id=$LSB_JOBID part=${LSB_JOBINDEX:-0}
      [ "$part" -eq 0 ] && part='' || job_id="${LSB_JOBID}[$part]"
      [ "${LSB_RESTART:-N}" = N ] || continues=yes ;;
    flux) job_id=$(flux job id --to=dec "$(flux getattr jobid)") part=${CHAINRULE_PART:-} ;;
    local) job_id=${CHAINRULE_LOCAL_JOB:-local} part=${CHAINRULE_PART:-} ;;
  esac
}

# mpirun with so many ranks on each host, each bound to cores of its own for its threads.
use_mpirun() {
  launcher=(mpirun -n "$ranks")
  # When mpirun is told to end (TERM), ranks save first: it would kill them after a second. It waits so long also where a
  # rank has failed, so not longer. The second name is that of Open MPI 5.
  export OMPI_MCA_odls_base_sigkill_timeout="${OMPI_MCA_odls_base_sigkill_timeout:-5}"
  export PRTE_MCA_odls_base_sigkill_timeout="${PRTE_MCA_odls_base_sigkill_timeout:-5}"
  # Ctrl-C is for this script, which passes USR1 on: mpirun would kill the ranks.
  [ "$scheduler" != local ] || launcher=(setsid "${launcher[@]}")
  if [ "$scheduler" != local ]; then
    launcher+=(--hostfile "$1" --map-by "ppr:$ranks_per_node:node:PE=$threads" --bind-to core)
  elif [ "${bind:-yes}" = yes ] && [ $((ranks * threads)) -le "$(local_cores)" ]; then
    launcher+=(--map-by "ppr:$ranks_per_node:node:PE=$threads" --bind-to core)
  else
    launcher+=(--oversubscribe --bind-to none)
  fi
  if [ "$(id -u)" -eq 0 ]; then  # containers have no one else
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
}

# Physical cores that this process may use.
local_cores() {
  local allowed physical
  allowed=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)  # which heeds them
  physical=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l)
  [ "$physical" -gt 0 ] && [ "$physical" -lt "$allowed" ] && allowed=$physical
  echo "$allowed"
}

# Sets `launcher`: the command that starts the ranks.
choose_launcher() {
  case $scheduler in
    slurm) threads=${SLURM_CPUS_PER_TASK:-1} ranks=${SLURM_NTASKS:-1} ;;
    *) ranks=$((nodes * ranks_per_node)) ;;
  esac
  export OMP_NUM_THREADS=$threads
  case $scheduler in
    slurm)
      export SRUN_CPUS_PER_TASK=$threads  # srun does not inherit it
      launcher=(srun --mpi="${SLURM_MPI_TYPE:-pmix}" --kill-on-bad-exit=1 --cpu-bind=cores) ;;
    flux)
      launcher=(flux run -N "$nodes" -n "$ranks" -c "$threads" -o cpu-affinity=per-task)
      [ -z "${CHAINRULE_FLUX_PMI:-}" ] || launcher+=(-o "pmi=$CHAINRULE_FLUX_PMI")
      [ -z "${time_seconds:-}" ] || launcher+=("--signal=USR1@${warning_seconds:-180}s") ;;
    pbs) use_mpirun "$PBS_NODEFILE" ;;
    lsf) use_mpirun "$LSB_DJOB_HOSTFILE" ;;
    local) use_mpirun ;;
  esac
}

# The warning before the time limit: every rank stops at the same step, with a checkpoint.
on_warning() {
  say "passing USR1 on: the command saves and stops"
  warned=yes interrupted=yes
  stop_step
}

stop_step() {
  [ -n "$step" ] || return 0
  if [ "$scheduler" = flux ]; then
    flux job kill --signal=USR1 "$(flux job last)"  # flux run keeps signals to itself
  else
    kill -USR1 "$step" 2>/dev/null
  fi
}

# The scheduler ends the job: cancelled, preempted, a node failed. Slurm tells the ranks itself, and they save; mpirun
# is told by a signal that it passes on.
on_end() {
  ended=yes interrupted=yes
  if [ "$scheduler" = slurm ]; then
    exclude_failed_nodes
  else
    stop_step
  fi
}

# A trapped signal ends `wait` early, while the step is still saving; bash remembers the code of a step that has ended.
wait_for_step() {
  local code
  while :; do
    interrupted=no
    wait "$step"
    code=$?
    [ "$interrupted" = yes ] || return "$code"
  done
}

# PBS sends no warning before its time limit, and here there is none but ours: an alarm of our own.
start_alarm() {
  alarm=''
  case $scheduler in pbs | local) ;; *) return 0 ;; esac
  [ -n "${time_seconds:-}" ] || return 0
  local seconds=$((time_seconds - ${warning_seconds:-180}))
  [ "$seconds" -gt 0 ] || seconds=1
  (
    trap 'kill "$sleeper"; exit' TERM
    sleep "$seconds" &
    sleeper=$!
    wait "$sleeper"
    kill -USR2 $$
  ) &
  alarm=$!
}

stop_alarm() { [ -z "$alarm" ] || kill "$alarm" 2>/dev/null; }

on_alarm() {
  say "the time is nearly up: the command saves and stops"
  interrupted=yes
  stop_step
}

# Nodes of this job that Slurm takes for failed by now are left out when the job is started again; only a pending job's
# list can be changed.
exclude_failed_nodes() {
  local failed before
  failed=$(sinfo --noheader --Node --nodes="$SLURM_JOB_NODELIST" --states=down,fail --format=%N | sort -u | paste -sd ,)
  [ -n "$failed" ] || return 0
  before=$(scontrol show job "$SLURM_JOB_ID" | sed -n 's/.*ExcNodeList=\([^ ]*\).*/\1/p' | grep -v '^(null)$')
  say "leaving out the failed nodes $failed from now on"
  scontrol update JobId="$SLURM_JOB_ID" ExcNodeList="${before:+$before,}$failed" ||
    say "Slurm refused to leave them out"
}

# Exit code 75: the same job again, where the scheduler can do that.
requeue() {
  case $scheduler in
    slurm)
      say "stopped early with a checkpoint: requeueing"
      trap '' TERM  # requeueing ends this script
      scontrol requeue "$job_id" && exclude_failed_nodes ;;
    lsf) say "stopped early with a checkpoint: LSF requeues it (-Q 75)" ;;
    pbs | flux)
      if [ -n "$part" ] || [ -z "${job_script:-}" ]; then
        say "stopped early with a checkpoint: submit it again to go on"
      else
        say "stopped early with a checkpoint: submitting '$job_script' again"
        resubmit
      fi ;;
    local) say "stopped early with a checkpoint: the same command goes on" ;;
  esac
}

# PBS and Flux requeue no job for its owner: a new one takes its place.
resubmit() {
  local failed=''
  if [ "$scheduler" = pbs ]; then
    qsub -V "$job_script"
  else
    failed=$(flux resource list -n -s down -o '{nodelist}' | paste -sd ,)
    [ -z "$failed" ] || say "leaving out the failed nodes $failed from now on"
    flux --parent batch ${failed:+"--requires=-host:$failed"} "$job_script"
  fi
}

# Runs the command once; returns its exit code.
run_step() {
  "${launcher[@]}" "$@" &
  step=$!
  start_alarm
  wait_for_step
  local code=$?
  step=''
  stop_alarm
  return "$code"
}

# batch_step PROGRAM COMMAND ARGUMENT...: ends the job with the command's exit code.
batch_step() {
  local part='' step='' warned=no ended=no interrupted=no alarm='' code product launcher ranks
  identify_job
  if [ -n "${parts:-}" ]; then
    set -- "$@" --part "$part/$parts"
  fi
  product=$(product_of "${@:2}")
  if [ "${continues:-no}" = yes ] && [ -n "$product" ] && [ -e "$product" ] &&
    { [ -z "${job_folder:-}" ] || is_made_by "$job_folder" "${made_line:-}"; }; then
    say "'$product' is there already: nothing is left to do"
    leave 0
  fi
  choose_launcher
  trap on_warning USR1
  trap on_alarm USR2
  trap on_end TERM INT HUP
  run_step "$@"
  code=$?
  while [ "$code" -eq 75 ] && [ "$scheduler" = local ] && [ "${again:-0}" -gt 0 ] && [ "$warned$ended" = nono ]; do
    again=$((again - 1))
    say "stopped early with a checkpoint: going on"
    run_step "$@"
    code=$?
  done
  if [ "$code" -eq 0 ] && [ -n "${job_folder:-}" ] && [ -n "${made_line:-}" ]; then
    is_made_by "$job_folder" "$made_line" || printf '%s\n' "$made_line" >>"$job_folder/made"
  fi
  if [ "$code" -eq 75 ] && [ "$ended" = no ]; then
    case ${on_stop:-requeue} in
      requeue) requeue ;;
      next)
        say "stopped early with a checkpoint: the next job of the chain goes on"
        leave 0 ;;
      end) say "stopped early with a checkpoint, and the chain ends here: submit it again to go on" ;;
    esac
  fi
  leave "$code"
}

# Ends the job, leaving a line of its exit code for those who look later.
leave() {
  [ -z "${job_folder:-}" ] || printf '%s\t%s\n' "$job_id" "$1" >>"$job_folder/ended"
  exit "$1"
}
