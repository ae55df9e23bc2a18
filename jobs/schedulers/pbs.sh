# shellcheck shell=bash disable=SC2034,SC2154  # variables are submit.sh's
# OpenPBS, for submit.sh and pipeline.sh; slurm.sh says what each function does. PBS names the log itself (ID.OU), warns
# of no time limit (batch_step.sh has an alarm of its own), lets users requeue nothing (a job submits its script again)
# and has no way to leave nodes out.

write_directives() {
  echo "#PBS -N $name"
  echo "#PBS -l select=$nodes:ncpus=$((ranks_per_node * threads)):mpiprocs=$ranks_per_node:ompthreads=$threads"
  echo "#PBS -l place=scatter"
  [ -z "$time_seconds" ] || echo "#PBS -l walltime=$(clock_time "$time_seconds")"
  echo "#PBS -r y"
  echo "#PBS -V"
  echo "#PBS -j oe"
  echo "#PBS -k doe"
  echo "#PBS -o \"$job_folder/\""
  [ "$parts" -eq 0 ] || echo "#PBS -J 1-$parts"
  [ -z "$queue" ] || echo "#PBS -q $queue"
  [ -z "$account" ] || echo "#PBS -A $account"
  [ ${#options[@]} -eq 0 ] || printf '#PBS %s\n' "${options[@]}"
}

submit_command() {
  local script=$1 ids
  shift
  command=(qsub)
  if [ $# -gt 0 ]; then
    ids=$(printf ':%s' "$@")
    command+=(-W "depend=afterok$ids")
  fi
  command+=("$script")
}

read_job_id() { cat; }

how_to_watch() {
  echo "qstat -t $*"
  echo "qdel $*"
}

log_of() { printf '%s' "$job_folder/$2.OU"; }

state_of() {
  local said
  if ! said=$(LC_ALL=C qstat "$1" 2>&1); then
    case $said in
      *"Unknown Job Id"* | *"has finished"*) echo gone ;;
      *) echo unknown ;;
    esac
    return
  fi
  case $(awk 'END { print $5 }' <<<"$said") in
    R | B | E | S | U) echo running ;;
    Q | H | W | T | M) echo waiting ;;
    *) echo gone ;;
  esac
}
