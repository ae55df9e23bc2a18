# shellcheck shell=bash disable=SC2034,SC2154  # variables are submit.sh's
# This machine, for submit.sh: jobs run at once, under mpirun, one behind the other; parts of an array side by side, as
# many as there are cores for. Defines `submit` anew: there is no queue, so a chain is one job that goes on by itself.

children=()

# Signals to submit.sh are for the jobs.
pass_on() {
  stopped=yes interrupted=yes
  local child
  for child in "${children[@]}"; do kill -"$1" "$child" 2>/dev/null; done
}

# run_here PART NAME: runs NAME.sh in the background, its output in a log; without a PART also on the terminal.
run_here() {
  local part=$1 file=$job_folder/$2.sh job_id=local-$$${1:+.$1} log
  log=$job_folder/$2-$job_id.log
  printf 'local\t%s\t%s\n' "$job_id" "$2" >>"$job_folder/submitted"
  export CHAINRULE_LOCAL_JOB=$job_id CHAINRULE_PART=$part
  if [ -n "$part" ]; then
    echo "part $part of $parts: log in $log"
    bash "$file" >>"$log" 2>&1 &
  else
    exec {both}> >(tee -i -a "$log")
    writer=$!
    bash "$file" >&"$both" 2>&1 &
    exec {both}>&-
  fi
  children+=($!)
}

# Waits for one job, also where a signal ends `wait` early; returns its exit code.
wait_for() {
  local step=$1
  wait_for_step
}

# Waits for the part that is the next in order to be waited for; says how it failed, and keeps the first such code.
wait_for_part() {
  local code=0
  wait_for "${children[waited]}" || code=$?
  waited=$((waited + 1))
  [ "$code" -ne 0 ] || return 0
  echo "submit.sh: part $waited of $parts ended with exit code $code: log in $(log_of "$name" "local-$$.$waited")" >&2
  [ "$worst" -ne 0 ] || worst=$code
}

# Every part, so many at once; the first exit code that is not 0 ends the evaluation once the others have ended.
run_parts() {
  local at_once part worst=0 waited=0
  at_once=$(($(local_cores) / (ranks_per_node * threads)))
  [ "$at_once" -gt 0 ] || at_once=1
  for ((part = 1; part <= parts; ++part)); do
    if [ $((${#children[@]} - waited)) -ge "$at_once" ]; then wait_for_part; fi
    [ "$stopped" = no ] || break
    run_here "$part" "$name"
  done
  while [ "$waited" -lt ${#children[@]} ]; do wait_for_part; done
  [ "$worst" -ne 0 ] || [ "$stopped" = no ] || worst=75
  return "$worst"
}

# submit NAME ID... -- COMMAND...: writes NAME.sh and runs it.
submit() {
  local file=$job_folder/$1.sh name=$1 code=0
  shift
  while [ "$1" != -- ]; do shift; done
  shift
  submitted=(local)
  if [ "$dry_run" = yes ]; then
    echo "== $file"
    write_script "$file" "$@"
    echo "== run by: bash $(printf %q "$file")"
    return
  fi
  # shellcheck disable=SC2094  # what is written only names the file
  write_script "$file" "$@" >"$file" || fail 73 "cannot write '$file'"
  children=() stopped=no
  trap 'pass_on USR1' USR1
  trap 'pass_on TERM' TERM INT HUP
  if [ "$parts" -gt 0 ]; then
    run_parts || code=$?
  else
    run_here '' "$name"
    wait_for "${children[0]}" || code=$?
    wait "$writer" || true  # the last lines are on the terminal before ours
  fi
  [ "$code" -eq 0 ] || {
    echo "submit.sh: '$name' ended with exit code $code; logs are in $job_folder" >&2
    exit "$code"
  }
}

log_of() { printf '%s' "$job_folder/$1-$2.log"; }

# A job's id is that of the submit.sh that runs it.
state_of() {
  local process=${1#local-}
  if grep -qs submit.sh "/proc/${process%%.*}/cmdline"; then echo running; else echo gone; fi
}
