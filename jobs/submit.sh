#!/usr/bin/env bash
# Submits a chainrule command as a batch job: submit.sh --help.
# shellcheck disable=SC2034  # some variables are for the files in schedulers/
set -euo pipefail
jobs=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=jobs/batch_step.sh
. "$jobs/batch_step.sh"

usage() {
  cat <<'END'
usage: submit.sh [options] -- COMMAND ARGUMENT...

Submits `chainrule COMMAND ARGUMENT...` as a batch job that stops before its time limit with a checkpoint and goes on
by itself. The script that it submits and the job's log lie beside what the command makes, in RUN.job/ (of pretrain;
REPORT.job/ of evaluate, OUTPUT.job/ of others). Submitted again it goes on where it stopped.

  --scheduler NAME         auto, slurm, pbs (OpenPBS), flux, lsf, or local: here, under mpirun, at once (=auto: the
                           first of the schedulers whose commands are there)
  --nodes N                (=1)
  --ranks-per-node R       (=4; local and commands that run on one rank: 1)
  --threads T              of each rank, each with a core of its own (=8; local: the cores that there are for it)
  --time LIMIT             minutes, or [DAYS-]HOURS:MINUTES:SECONDS (default: the scheduler's)
  --warning SECONDS        how long before the limit to stop (=180)
  --array N                evaluate in N parts, each a job of its own (--part I/N), and a dependent job that merges them
  --chain K                K more jobs behind it, each of which goes on where the one before stopped, and ends at once
                           when nothing is left to do. Without it a job that stops early is requeued
  --after ID               start when job ID has ended with exit code 0; may be given several times
  --queue NAME             queue, or partition
  --account NAME           account, project or bank
  --option TEXT            a directive of your own, such as --option --exclusive; may be given several times
  --name NAME              the job's (=COMMAND)
  --dry-run                print the script and the command that submits it, and do nothing

CHAINRULE is the program (default: `chainrule` on the PATH, else the one installed or built beside these scripts).
Exit codes: 64 usage, 69 no scheduler, 73 made already by another command; of local the command's own.
END
}

fail() {
  echo "submit.sh: $2" >&2
  exit "$1"
}

# option, value, limits: a whole number.
whole_number() {
  { [[ $2 =~ ^[0-9]{1,9}$ ]] && [ "$((10#$2))" -ge "$3" ]; } ||
    fail 64 "option '$1' is '$2': a whole number from $3 is asked for"
  echo "$((10#$2))"
}

# Minutes, or [DAYS-]HOURS:MINUTES:SECONDS, in seconds.
seconds_of() {
  if [[ $1 =~ ^[0-9]{1,7}$ ]]; then
    echo $((10#$1 * 60))
  elif [[ $1 =~ ^(([0-9]{1,4})-)?([0-9]{1,4}):([0-5][0-9]):([0-5][0-9])$ ]]; then
    local days=${BASH_REMATCH[2]:-0}
    echo $(((10#$days * 24 + 10#${BASH_REMATCH[3]}) * 3600 + 10#${BASH_REMATCH[4]} * 60 + 10#${BASH_REMATCH[5]}))
  else
    fail 64 "option '--time' is '$1': minutes, or [DAYS-]HOURS:MINUTES:SECONDS are asked for"
  fi
}

# Seconds as HOURS:MINUTES:SECONDS.
clock_time() { printf '%02d:%02d:%02d' $(($1 / 3600)) $(($1 / 60 % 60)) $(($1 % 60)); }

read_options() {
  has_arrays=yes array_mark=''
  scheduler=auto nodes=1 ranks_per_node='' threads='' time_seconds='' warning_seconds=180 parts=0 chain=0
  queue='' account='' name='' dry_run=no
  options=() after=() command_line=()
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --dry-run) dry_run=yes; shift; continue ;;
      --) shift; command_line=("$@"); break ;;
      --scheduler | --nodes | --ranks-per-node | --threads | --time | --warning | --array | --chain | --after | \
        --queue | --partition | --account | --option | --name) ;;
      -*) fail 64 "unknown option '$1' (--help lists the options)" ;;
      *) fail 64 "'$1': the command comes behind --" ;;
    esac
    { [ $# -ge 2 ] && [ "$2" != -- ]; } || fail 64 "option '$1' lacks its value"
    case $1 in
      --scheduler) scheduler=$2 ;;
      --nodes) nodes=$(whole_number "$1" "$2" 1) ;;
      --ranks-per-node) ranks_per_node=$(whole_number "$1" "$2" 1) ;;
      --threads) threads=$(whole_number "$1" "$2" 1) ;;
      --time) time_seconds=$(seconds_of "$2") ;;
      --warning) warning_seconds=$(whole_number "$1" "$2" 1) ;;
      --array) parts=$(whole_number "$1" "$2" 2) ;;
      --chain) chain=$(whole_number "$1" "$2" 0) ;;
      --after) after+=("$2") ;;
      --queue | --partition) queue=$2 ;;
      --account) account=$2 ;;
      --option) options+=("$2") ;;
      --name) name=$2 ;;
    esac
    shift 2
  done
  [ ${#command_line[@]} -gt 0 ] || fail 64 "no command: submit.sh [options] -- COMMAND ARGUMENT... (--help says more)"
}

find_scheduler() {
  case $scheduler in
    slurm | pbs | flux | lsf | local) return ;;
    auto) ;;
    *) fail 64 "option '--scheduler' is '$scheduler': auto, slurm, pbs, flux, lsf or local are known" ;;
  esac
  local known
  for known in slurm:sbatch lsf:bsub pbs:pbsnodes flux:flux; do  # other systems have a qsub, too
    if command -v "${known#*:}" >/dev/null; then
      scheduler=${known%:*}
      return
    fi
  done
  fail 69 "no scheduler: none of sbatch, bsub, pbsnodes and flux is on the PATH (--scheduler local runs it here)"
}

find_program() {
  local candidate
  if [ -n "${CHAINRULE:-}" ]; then
    { [ -f "$CHAINRULE" ] && [ -x "$CHAINRULE" ]; } || fail 66 "CHAINRULE is '$CHAINRULE', which is no program"
  fi
  for candidate in "${CHAINRULE:-}" "$(command -v chainrule || true)" "$jobs/../../../bin/chainrule" \
    "$jobs/../build/release/chainrule"; do
    { [ -f "$candidate" ] && [ -x "$candidate" ]; } || continue
    program=$(readlink -f "$candidate")
    return
  done
  fail 66 "no program: set CHAINRULE to chainrule's path"
}

# What is right by default, and what goes together.
complete_options() {
  local command=${command_line[0]}
  case $command in
    pack | pretrain | evaluate | benchmark) ;;
    *)
      [ "$nodes${ranks_per_node:-1}" = 11 ] || fail 64 "'$command' runs on one rank"
      ranks_per_node=1 ;;
  esac
  if [ "$scheduler" = local ]; then
    [ "$nodes" -eq 1 ] || fail 64 "option '--nodes' is $nodes: there is one node here"
    [ ${#after[@]} -eq 0 ] || fail 64 "option '--after': nothing waits here, jobs run at once"
    ranks_per_node=${ranks_per_node:-1}
    threads=${threads:-$(($(local_cores) / ranks_per_node))}
    [ "$threads" -gt 0 ] || threads=1
  fi
  ranks_per_node=${ranks_per_node:-4}
  threads=${threads:-8}
  name=${name:-$command}
  if [ -n "$time_seconds" ]; then
    [ "$time_seconds" -gt 0 ] || fail 64 "option '--time' is no time"
    [ "$warning_seconds" -lt "$time_seconds" ] ||
      fail 64 "option '--warning' is $warning_seconds seconds, and '--time' not more: nothing would be done before it"
    # Slurm keeps time by the minute: a job could be stopped before its first step, time and again.
    [ "$scheduler" != slurm ] || [ $((warning_seconds + 60)) -lt "$time_seconds" ] ||
      fail 64 "option '--warning' is $warning_seconds seconds, which Slurm may send a minute early: '--time' must be longer"
  fi
  if [ -n "$(option_value config "${command_line[@]}")" ] &&
    [ -z "$(made_by_command)" ]; then
    fail 64 "'--config': what the command makes is not looked for in that file: say --run, --report or --output here"
  fi
  case "$queue$account${options[*]-}" in
    *$'\n'*) fail 64 "a line break in --queue, --account or --option would be a line of the script" ;;
  esac
  [[ $name =~ ^[A-Za-z][A-Za-z0-9_.-]{0,99}$ ]] ||
    fail 64 "option '--name' is '$name': a letter, then letters, digits, '_', '.' and '-' are asked for"
  if [ "$parts" -gt 0 ]; then
    { [ "$command" = evaluate ] && [ -n "$(option_value report "${command_line[@]}")" ]; } ||
      fail 64 "option '--array' goes with evaluate --report"
    [ -z "$(option_value part "${command_line[@]}")" ] || fail 64 "option '--array' makes --part itself"
    [ "$(option_value protocol "${command_line[@]}")" != all ] || fail 64 "option '--array' takes one --protocol, not all"
  fi
}

# The folder or file that the command names for what it makes; nothing where it names none.
made_by_command() {
  local option made=''
  for option in run report output; do
    [ -n "$made" ] || made=$(option_value "$option" "${command_line[@]}")
  done
  printf '%s' "$made"
}

# The folder beside what the command makes.
choose_job_folder() {
  local made
  made=$(made_by_command)
  made=${made:-$PWD/${command_line[0]}}
  while [ "$made" != / ] && [ "${made%/}" != "$made" ]; do made=${made%/}; done
  [[ $made = /* ]] || made=$PWD/$made
  job_folder=$made.job
  case $job_folder in
    *$'\n'* | *'"'* | *\\*)
      fail 64 "'$made': a folder for a job's files has no line break, double quote or backslash in its name" ;;
  esac
}

quoted() { printf ' %q' "$@"; }

# What was made by this very command, of what is there now, is not made again; other products are not taken for its own.
look_for_what_is_made() {
  local product input
  product=$(product_of "${command_line[@]}")
  [ -n "$product" ] && [ -e "$product" ] || return 0
  is_made_by "$job_folder" "$line" ||
    fail 73 "'$product' is there already, and no job of this command made it: name another, or remove it"
  input=$(newer_input "$product" "${command_line[@]}")
  [ -z "$input" ] || fail 73 "'$product' is there already, made before '$input' changed: remove it to make it anew"
  echo "'$product' is there already: nothing is left to do"
  exit 0
}

# Two commands at once for one product would hide each other's jobs.
refuse_other_command() {
  local by id name state
  { [ -e "$job_folder/command" ] && [ "$(cat "$job_folder/command")" != "$line" ]; } || return 0
  while IFS=$'\t' read -r by id name; do
    state=$(
      # shellcheck disable=SC1090  # a file of schedulers/
      . "$jobs/schedulers/$by.sh"
      state_of "$id"
    )
    [ "$state" = gone ] ||
      fail 73 "job $id ($name) of another command for this is not over ($state): $(cat "$job_folder/command")"
  done < <(cat "$job_folder/submitted" 2>/dev/null)
}

# write_script FILE COMMAND...: prints the script of a job, which will lie in FILE.
write_script() {
  local file=$1
  shift
  echo '#!/usr/bin/env bash'
  [ "$scheduler" = local ] || write_directives
  echo "# Written by submit.sh: chainrule$(quoted "$@")"
  printf 'cd %q || exit 66\n' "$PWD"
  echo "scheduler=$scheduler nodes=$nodes ranks_per_node=$ranks_per_node threads=$threads"
  echo "time_seconds=$time_seconds warning_seconds=$warning_seconds on_stop=$on_stop continues=yes"
  [ "$parts" -eq 0 ] || echo "parts=$parts"
  [ "$scheduler" != local ] || echo "again=$chain bind=$([ "$parts" -eq 0 ] && echo yes || echo no)"
  printf 'job_folder=%q\n' "$job_folder"
  [ "$parts" -gt 0 ] || printf 'made_line=%q\n' "$line"  # an array is made once its parts are merged
  printf 'job_script=%q\n' "$file"
  printf '. %q\n' "$jobs/batch_step.sh"
  echo "batch_step$(quoted "$program" "$@")"
}

# submit NAME ID... -- COMMAND...: writes NAME.sh and submits it behind the jobs ID; sets `submitted`, its ids.
submit() {
  local job=$1 file=$job_folder/$1.sh ids=() part='' indexes=('')
  log_path=$job_folder/$job
  submitted=()
  shift
  while [ "$1" != -- ]; do
    ids+=("$1")
    shift
  done
  shift
  if [ "$dry_run" = yes ]; then
    echo "== $file"
    write_script "$file" "$@"
  else
    # shellcheck disable=SC2094  # what is written only names the file
    write_script "$file" "$@" >"$file" || fail 73 "cannot write '$file'"
  fi
  if [ "$parts" -gt 0 ] && [ "$has_arrays" = no ]; then mapfile -t indexes < <(seq "$parts"); fi
  for part in "${indexes[@]}"; do
    input=/dev/null
    submit_command "$file" ${ids[@]+"${ids[@]}"}
    if [ "$dry_run" = yes ]; then
      echo "== submitted by:$(quoted "${command[@]}")$([ "$input" = /dev/null ] || printf ' < %q' "$input")"
      submitted+=("ID-$job${part:+-$part}$([ "$parts" -eq 0 ] || echo "$array_mark")")
    else
      submit_file "$job"
    fi
  done
}

# Runs `command` and remembers the job, by NAME: first of all as one to take back.
submit_file() {
  local output id
  output=$("${command[@]}" <"$input") || fail 69 "'${command[0]}' refused job '$1' (its message is above)"
  id=$(printf '%s\n' "$output" | read_job_id)
  [ -n "$id" ] || fail 69 "cannot tell the job's id from what '${command[0]}' said: '$output'"
  in_queue+=("$id")
  submitted+=("$id")
  printf '%s\t%s\t%s\n' "$scheduler" "$id" "$1" >>"$job_folder/submitted" ||
    fail 73 "cannot write '$job_folder/submitted'"
  echo "submitted job $id: $1"
}

# Half a chain, or an array without its merge, would end early and look whole: whatever ends this script before all are
# in the queue, those that are there are taken back.
withdraw() {
  local ending
  [ ${#in_queue[@]} -gt 0 ] || return 0
  read -r -a ending < <(how_to_watch "${in_queue[@]}" | sed -n 2p)
  echo "submit.sh: taking back jobs ${in_queue[*]}" >&2
  "${ending[@]}" || echo "submit.sh: they are still in the queue: ${ending[*]}" >&2
}

# Sets `words`: the command, of a part without what belongs to the report.
words_of_parts() {
  local word skip=no
  words=()
  for word in "${command_line[@]}"; do
    if [ "$skip" = yes ]; then
      skip=no
      continue
    fi
    case $parts:$word in
      0:*) ;;
      *:--token-nll | *:--write=*) continue ;;
      *:--write)
        skip=yes
        continue ;;
    esac
    words+=("$word")
  done
}

# The job and its continuations, each behind the one before; sets `last`, the ids of the last.
submit_chain() {
  local link links=$chain link_name words
  words_of_parts
  [ "$scheduler" != local ] || links=0  # one job that goes on so many times
  last=(${after[@]+"${after[@]}"}) all=()
  for ((link = 0; link <= links; ++link)); do
    on_stop=requeue
    if [ "$links" -gt 0 ]; then
      on_stop=next
      [ "$link" -lt "$links" ] || on_stop=end
    fi
    link_name=$name
    [ "$link" -eq 0 ] || link_name=$name.$((link + 1))
    submit "$link_name" ${last[@]+"${last[@]}"} -- "${words[@]}"
    last=("${submitted[@]}") all+=("${submitted[@]}")
  done
}

# The job that merges the parts: one rank, no array.
submit_merge() {
  local report part words=() count=$parts
  report=$(option_value report "${command_line[@]}")
  for ((part = 1; part <= count; ++part)); do
    words+=("${report%/}.part-$part-of-$count")
  done
  words+=(--report "$report")
  for ((part = 1; part < ${#command_line[@]}; ++part)); do
    case ${command_line[part]} in
      --token-nll | --allow-nonfinite | --write=*) words+=("${command_line[part]}") ;;
      --write) words+=(--write "${command_line[part + 1]:-}") ;;
    esac
  done
  parts=0 nodes=1 ranks_per_node=1 on_stop=requeue
  submit "$name-merge" "${last[@]}" -- report merge "${words[@]}"
  all+=("${submitted[@]}")
}

read_options "$@"
find_scheduler
complete_options
find_program
choose_job_folder
if [ "$scheduler" = local ]; then
  # shellcheck source=jobs/schedulers/local.sh
  . "$jobs/schedulers/local.sh"
else
  # shellcheck disable=SC1090  # one of the files beside local.sh
  . "$jobs/schedulers/$scheduler.sh"
fi
line=$(quoted "${command_line[@]}")
line=${line# }
look_for_what_is_made
refuse_other_command
in_queue=()
if [ "$dry_run" = no ]; then
  mkdir -p "$job_folder" || fail 73 "cannot make '$job_folder'"
  printf '%s\n' "$line" >"$job_folder/command" || fail 73 "cannot write '$job_folder/command'"
fi
trap withdraw EXIT
submit_chain
if [ "$parts" -gt 0 ]; then submit_merge; fi
trap - EXIT
if [ "$dry_run" = no ] && [ "$scheduler" != local ]; then
  { read -r show && read -r end; } < <(how_to_watch "${all[@]}")
  echo "watch:  $show"
  echo "end:    $end"
  echo "logs:   $job_folder"
fi
