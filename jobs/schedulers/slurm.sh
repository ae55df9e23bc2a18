# shellcheck shell=bash disable=SC2034,SC2154  # variables are submit.sh's
# Slurm, for submit.sh and pipeline.sh. Each file of this folder but local.sh defines the same functions:
#   write_directives             prints the directives of a job, from name, nodes, ranks_per_node, threads,
#                                time_seconds, warning_seconds, queue, account, options, parts, on_stop, job_folder,
#                                log_path
#   submit_command SCRIPT ID...  sets `command`, which submits SCRIPT to start once the jobs ID have ended with 0, and
#                                `input`, what it reads
#   read_job_id                  reads what the command printed and prints the job's id
#   how_to_watch ID...           prints a command that shows jobs, and one that ends them
#   log_of NAME ID               prints where the log of job NAME lies
#   state_of ID                  prints waiting, running or gone; unknown where the scheduler does not answer

write_directives() {
  local log=${log_path//%/%%}
  echo "#SBATCH --job-name=$name"
  echo "#SBATCH --nodes=$nodes"
  echo "#SBATCH --ntasks-per-node=$ranks_per_node"
  echo "#SBATCH --cpus-per-task=$threads"
  [ -z "$time_seconds" ] || echo "#SBATCH --time=$(clock_time "$time_seconds")"
  echo "#SBATCH --signal=B:USR1@$warning_seconds"
  echo "#SBATCH --requeue"
  echo "#SBATCH --open-mode=append"
  if [ "$parts" -gt 0 ]; then
    echo "#SBATCH --array=1-$parts"
    echo "#SBATCH --output=\"$log-%A_%a.log\""
  else
    echo "#SBATCH --output=\"$log-%j.log\""
  fi
  [ -z "$queue" ] || echo "#SBATCH --partition=$queue"
  [ -z "$account" ] || echo "#SBATCH --account=$account"
  [ ${#options[@]} -eq 0 ] || printf '#SBATCH %s\n' "${options[@]}"
}

submit_command() {
  local script=$1 ids
  shift
  command=(sbatch --parsable)
  if [ $# -gt 0 ]; then
    ids=$(printf ':%s' "$@")
    command+=("--dependency=afterok$ids" --kill-on-invalid-dep=yes)
  fi
  command+=("$script")
}

read_job_id() { sed 's/;.*//'; }

how_to_watch() {
  local ids=$*
  echo "squeue --jobs=${ids// /,}"
  echo "scancel $ids"
}

log_of() { printf '%s' "$job_folder/$1-$2.log"; }

state_of() {
  local states
  if ! states=$(LC_ALL=C squeue --noheader --jobs="$1" --format=%T 2>&1); then
    case $states in
      *"Invalid job id"*) echo gone ;;
      *) echo unknown ;;
    esac
    return
  fi
  case $states in
    *RUNNING* | *COMPLETING* | *SUSPENDED* | *STOPPED*) echo running ;;
    ?*) echo waiting ;;
    *) echo gone ;;
  esac
}
