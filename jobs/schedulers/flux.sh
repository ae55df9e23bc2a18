# shellcheck shell=bash disable=SC2034,SC2154  # variables are submit.sh's
# Flux, for submit.sh and pipeline.sh; slurm.sh says what each function does. Flux has no arrays of batch jobs: each
# part is submitted by itself. The warning before the time limit is asked for where the ranks start (batch_step.sh).

has_arrays=no

write_directives() {
  echo "# flux: --job-name=$name"
  echo "# flux: -N $nodes"
  echo "# flux: -n $((nodes * ranks_per_node))"
  echo "# flux: -c $threads"
  [ -z "$time_seconds" ] || echo "# flux: -t ${time_seconds}s"
  echo "# flux: --output=\"$log_path-{{id.dec}}.log\""
  echo "# flux: -o output.mode=append"
  [ -z "$queue" ] || echo "# flux: --queue=$queue"
  [ -z "$account" ] || echo "# flux: --bank=$account"
  [ ${#options[@]} -eq 0 ] || printf '# flux: %s\n' "${options[@]}"
}

submit_command() {
  local script=$1 id
  shift
  command=(flux batch)
  for id in "$@"; do command+=("--dependency=afterok:$id"); done
  [ -z "$part" ] || command+=("--env=CHAINRULE_PART=$part")
  command+=("$script")
}

read_job_id() { xargs -r flux job id --to=dec; }

how_to_watch() {
  echo "flux jobs $*"
  echo "flux cancel $*"
}

log_of() { printf '%s' "$job_folder/$1-$2.log"; }

state_of() {
  local said
  if ! said=$(LC_ALL=C flux jobs --no-header --format='{state}' "$1" 2>&1); then
    case $said in
      *"not found"* | *"No such"* | *"unknown job"*) echo gone ;;
      *) echo unknown ;;
    esac
    return
  fi
  case $said in
    RUN | CLEANUP) echo running ;;
    DEPEND | PRIORITY | SCHED | NEW) echo waiting ;;
    *) echo gone ;;
  esac
}
