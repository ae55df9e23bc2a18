# shellcheck shell=bash disable=SC2034,SC2154  # variables are submit.sh's
# LSF, for submit.sh and pipeline.sh; slurm.sh says what each function does. The id of an array ends in []. LSF leaves
# no nodes out for parallel jobs, but starts a job of a host that failed elsewhere (-r).

array_mark='[]'

write_directives() {
  if [ "$parts" -gt 0 ]; then
    echo "#BSUB -J \"${name}[1-$parts]\""
    echo "#BSUB -o \"${log_path//%/%%}-%J-%I.log\""
  else
    echo "#BSUB -J $name"
    echo "#BSUB -o \"${log_path//%/%%}-%J.log\""
  fi
  echo "#BSUB -n $((nodes * ranks_per_node))"
  echo "#BSUB -R \"span[ptile=$ranks_per_node] affinity[core($threads)]\""
  if [ -n "$time_seconds" ]; then
    echo "#BSUB -W $(((time_seconds + 59) / 60))"
    echo "#BSUB -wa USR1"
    echo "#BSUB -wt $(((warning_seconds + 59) / 60))"
  fi
  echo "#BSUB -r"
  [ "$on_stop" != requeue ] || echo "#BSUB -Q 75"
  [ -z "$queue" ] || echo "#BSUB -q $queue"
  [ -z "$account" ] || echo "#BSUB -P $account"
  [ ${#options[@]} -eq 0 ] || printf '#BSUB %s\n' "${options[@]}"
}

submit_command() {
  local script=$1 id condition=''
  shift
  for id in "$@"; do
    condition+="${condition:+ && }"
    case $id in
      *'[]') condition+="numdone(${id%'[]'},*)" ;;
      *) condition+="done($id)" ;;
    esac
  done
  command=(bsub)
  [ -z "$condition" ] || command+=(-w "$condition" -ti)
  input=$script  # bsub reads directives from its standard input only
}

read_job_id() {
  local id
  id=$(sed -n 's/^Job <\([0-9]*\)>.*/\1/p')
  [ -z "$id" ] || [ "$parts" -eq 0 ] || id+=$array_mark
  printf '%s' "$id"
}

how_to_watch() {
  echo "bjobs ${*//'[]'/}"
  echo "bkill ${*//'[]'/}"
}

log_of() {
  local id=${2//]/}
  printf '%s' "$job_folder/$1-${id/'['/-}.log"
}

state_of() {
  local said
  if ! said=$(LC_ALL=C bjobs -noheader -o stat "${1%'[]'}" 2>&1); then
    case $said in
      *"is not found"*) echo gone ;;
      *) echo unknown ;;
    esac
    return
  fi
  case $said in
    *RUN* | *SUSP* | *UNKWN*) echo running ;;
    *PEND* | *WAIT*) echo waiting ;;
    *) echo gone ;;
  esac
}
