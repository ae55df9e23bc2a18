#!/usr/bin/env bash
# From text to a perplexity report as dependent jobs: pipeline.sh --help.
set -euo pipefail
jobs=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=jobs/batch_step.sh
. "$jobs/batch_step.sh"

usage() {
  cat <<'END'
usage: pipeline.sh FILE [--dry-run | --status]

Submits the stages that FILE describes, each behind the one before:
  tokenizer -> pack -> pretrain (a chain of jobs) -> evaluate (an array of parts) -> merge
What they make lies in the folder `work`: tokenizer.json, data, run and report, and beside each the folder with its
scripts and logs (run.job). A stage that fails stops those after it. Submitted again, the pipeline goes on where it
stopped: what is made stays, what is in the queue is waited for.

  --dry-run   print every script and the command that submits it, and do nothing
  --status    say of each stage: done, running, waiting, failed (exit code and log) or not submitted

FILE has lines `key = value`; # begins a comment. Before the first section:
  work = DIR           folder for everything (needed), as seen from where pipeline.sh is called
  scheduler = NAME     as --scheduler of submit.sh; local runs all stages here, one behind the other (=auto)
In [tokenizer], [pack], [pretrain] and [evaluate], which come in this order, or before them for all:
  nodes, ranks-per-node, threads, time, warning, queue, account, option    as the options of submit.sh
In the sections alone:
  options = WORDS      options of the chainrule command, in the shell's quotes; may be repeated. The pipeline names what
                       stages hand on itself: --tokenizer, --output, --data, --run, --model, --report, --part
  title = TEXT         what is printed above the stage's output (=its name)
  use = PATH           (tokenizer, pack, pretrain) take this one; there is no such stage then
  chain = K            (pretrain, evaluate) as --chain
  array = N            (evaluate) as --array
  data = PATH          (evaluate) instead of the documents that pack held out
Exit codes: 64 usage or a line of FILE, 66 no FILE, 73 also what is outdated, or another at work here; others as
submit.sh has them.
END
}

fail() {
  echo "pipeline.sh: $2" >&2
  exit "$1"
}

declare -A setting=()
declare -a stages=(tokenizer pack pretrain evaluate)

# Is KEY known in SECTION (empty: before the first)?
is_known() {
  case "$1:$2" in
    :work | :scheduler) ;;
    *:nodes | *:ranks-per-node | *:threads | *:time | *:warning | *:queue | *:account | *:option) ;;
    tokenizer:use | pack:use | pretrain:use | pretrain:chain | evaluate:chain | evaluate:array | evaluate:data) ;;
    tokenizer:title | pack:title | pretrain:title | evaluate:title) ;;
    tokenizer:options | pack:options | pretrain:options | evaluate:options) ;;
    *) return 1 ;;
  esac
}

# Fills `setting`, by "section:key".
read_file() {
  local line number=0 section='' sections='' key value where
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    where="$file:$number"
    line=$(sed 's/^[[:space:]]*//; s/^#.*//; s/[[:space:]]#.*//; s/[[:space:]]*$//' <<<"$line")
    if [ -z "$line" ]; then
      continue
    elif [[ $line =~ ^\[([a-z]+)\]$ ]]; then
      section=${BASH_REMATCH[1]}
      [[ " ${stages[*]} " = *" $section "* ]] || fail 64 "$where: unknown section '$section'"
      [[ " $sections " != *" $section "* ]] || fail 64 "$where: section '$section' is given twice"
      sections+=" $section"
    elif [[ $line =~ ^([a-z-]+)[[:space:]]*=[[:space:]]*(.*)$ ]]; then
      key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
      is_known "$section" "$key" || fail 64 "$where: unknown key '$key'${section:+ in [$section]}"
      [ -n "$value" ] || fail 64 "$where: key '$key' has no value"
      case $key in
        options) setting[$section:$key]+="$value " ;;
        option) setting[$section:$key]+="$value"$'\n' ;;
        *)
          [ -z "${setting[$section:$key]:-}" ] || fail 64 "$where: key '$key' is given twice"
          setting[$section:$key]=$value ;;
      esac
    else
      fail 64 "$where: '$line' is neither [section] nor key = value"
    fi
  done <"$file"
  work=${setting[:work]:-}
  [ -n "$work" ] || fail 64 "$file: key 'work' is missing"
  scheduler=${setting[:scheduler]:-auto}
}

# The key of a stage, or else of all.
setting_of() { printf '%s' "${setting[$1:$2]:-${setting[:$2]:-}}"; }

# Sets `words`: the stage's command line.
command_of() {
  local stage=$1 text tokenizer data model word
  text=${setting[$stage:options]:-}
  tokenizer=${setting[tokenizer:use]:-$work/tokenizer.json}
  data=${setting[pack:use]:-$work/data}
  model=${setting[pretrain:use]:-$work/run}
  words=()
  if [ -n "$text" ]; then
    xargs printf '' <<<"$text" 2>/dev/null || fail 64 "$file: [$stage] options: a quote is not closed"
    mapfile -d '' -t words < <(xargs printf '%s\0' <<<"$text")
  fi
  for word in ${words[@]+"${words[@]}"}; do
    case ${word%%=*} in
      --output | --tokenizer | --run | --data | --model | --report | --part)
        [ "$stage ${word%%=*}" = "pretrain --model" ] ||
          fail 64 "$file: [$stage] options: the pipeline itself says '${word%%=*}'" ;;
    esac
  done
  case $stage in
    tokenizer) words=(tokenizer train ${words[@]+"${words[@]}"} --output "$tokenizer") ;;
    pack) words=(pack --tokenizer "$tokenizer" ${words[@]+"${words[@]}"} --output "$data") ;;
    pretrain) words=(pretrain --data "$data" --run "$model" ${words[@]+"${words[@]}"}) ;;
    evaluate)
      words=(evaluate --model "$model" --data "${setting[evaluate:data]:-$data/held-out}" ${words[@]+"${words[@]}"}
        --report "$work/report") ;;
  esac
}

made_by() {
  case $1 in
    tokenizer) printf '%s' "$work/tokenizer.json" ;;
    pack) printf '%s' "$work/data" ;;
    pretrain) printf '%s' "$work/run" ;;
    evaluate) printf '%s' "$work/report" ;;
  esac
}

# A run is finished when its last step's checkpoint is there: checkpoints get their name when they are whole.
is_made() {
  local run product steps
  command_of "$1"
  if [ "$1" = pretrain ]; then
    run=$(made_by pretrain)
    steps=$(sed -n 's/^steps = //p' "$run/config.cfg" 2>/dev/null)
    [ -n "$steps" ] && [ -e "$run/checkpoints/step-$(printf %08d "$steps")" ]
  else
    product=$(product_of "${words[@]}")
    [ -e "$product" ]
  fi
}

# What a stage made before the thing that it read changed is of something else: names that. A run looks at its data itself.
outdated_by() {
  local product
  command_of "$1"
  product=$(product_of "${words[@]}")
  [ -z "$product" ] || newer_input "$product" "${words[@]}"
}

# Sets `options`: those of submit.sh.
options_of() {
  local stage=$1 key value
  options=(--scheduler "$scheduler" --name "$stage")
  for key in nodes ranks-per-node threads time warning queue account; do
    value=$(setting_of "$stage" "$key")
    case $stage:$key in
      # the tokenizer is trained on one rank, whatever all stages have
      tokenizer:nodes | tokenizer:ranks-per-node) value=${setting[$stage:$key]:-} ;;
    esac
    [ -z "$value" ] || options+=("--$key" "$value")
  done
  for key in chain array; do
    [ -z "${setting[$stage:$key]:-}" ] || options+=("--$key" "${setting[$stage:$key]}")
  done
  while IFS= read -r value; do
    [ -z "$value" ] || options+=(--option "$value")
  done < <(setting_of "$stage" option)
}

# The functions of the scheduler NAME.
know_scheduler() {
  # shellcheck disable=SC1090  # a file of schedulers/
  . "$jobs/schedulers/$1.sh"
}

# The id of the job that was submitted last, of a stage's folder for jobs: what the next stage waits for.
last_job() { [ ! -r "$1/submitted" ] || tail -n 1 "$1/submitted" | cut -f 2; }

# The last job of a stage, if it is in the queue or runs.
pending_job() {
  local job_folder id
  job_folder=$(made_by "$1").job
  id=$(last_job "$job_folder")
  [ -n "$id" ] || return 0
  know_scheduler "$(tail -n 1 "$job_folder/submitted" | cut -f 1)"
  case $(state_of "$id") in
    gone) ;;
    unknown) fail 69 "$1: the scheduler does not say what became of job $id; try again later" ;;
    *) printf '%s' "$id" ;;
  esac
}

# Names the job that a dry run waits for as submit.sh does.
dry_job() {
  local chain=${setting[$1:chain]:-0}
  if [ -n "${setting[$1:array]:-}" ]; then
    printf 'ID-%s-merge' "$1"
  elif [ "$chain" -gt 0 ]; then
    printf 'ID-%s.%d' "$1" $((chain + 1))
  else
    printf 'ID-%s' "$1"
  fi
}

# submit.sh; of `local` it is the stage itself, which signals are passed on to.
run_submit() {
  local code=0 step
  "$jobs/submit.sh" "$@" &
  step=$!
  trap 'interrupted=yes; kill -USR1 "$step" 2>/dev/null' USR1
  trap 'interrupted=yes; kill -TERM "$step" 2>/dev/null' TERM INT HUP
  wait_for_step || code=$?
  trap - USR1 TERM INT HUP
  [ "$code" -eq 0 ] || exit "$code"
}

# Submits a stage behind the job `before`, unless it is made or in the queue; sets `before` anew.
submit_stage() {
  local stage=$1 pending submitted line outdated
  submitted=$(made_by "$stage").job
  command_of "$stage"
  options_of "$stage"
  pending=$(pending_job "$stage")
  line=$(printf ' %q' "${words[@]}")
  if [ -n "$pending" ]; then
    [ "$scheduler" != local ] || fail 73 "$stage: job $pending still runs here: wait for it, or end it"
    [ "$(cat "$submitted/command" 2>/dev/null)" = "${line# }" ] ||
      fail 73 "$stage: job $pending of another command is in the queue or runs: $(cat "$submitted/command")"
    echo "$stage: job $pending is in the queue or runs"
    before=$pending
    return
  fi
  if is_made "$stage" && outdated=$(outdated_by "$stage") && [ -n "$outdated" ]; then
    fail 73 "$stage: '$(made_by "$stage")' was made before '$outdated' changed: remove it to make it anew"
  fi
  if [ "$stage" = pretrain ] && is_made pretrain && [ "$(cat "$submitted/command" 2>/dev/null)" = "${line# }" ]; then
    echo "pretrain: the run '$work/run' is finished"
    before=''
    return
  fi
  [ -z "$before" ] || [ "$scheduler" = local ] || options+=(--after "$before")
  [ -z "$dry_run" ] || options+=(--dry-run)
  printf '\n== %s\n' "${setting[$stage:title]:-$stage}"
  local last
  last=$(last_job "$submitted")
  run_submit "${options[@]}" -- "${words[@]}"
  before=''
  if [ -n "$dry_run" ]; then
    is_made "$stage" || before=$(dry_job "$stage")
  elif [ "$scheduler" != local ] && [ "$(last_job "$submitted")" != "$last" ]; then
    before=$(last_job "$submitted")  # also one that has ended by now: the scheduler knows how
  fi
}

# The last line of a job ID in the file of ended jobs; of an array (ID_2, ID[2], local-7.2) that of a part which failed.
last_end() {
  [ -r "$2" ] || return 0
  awk -F '\t' -v id="${1%'[]'*}" '
    $1 == id || (index($1, id) == 1 && substr($1, length(id) + 1, 1) ~ /[_.[]/) {
      end[$1] = $2
      if (last == "" || end[last] == 0 || $2 != 0) last = $1
    }
    END { if (last != "") print last "\t" end[last] }' "$2"
}

# Prints a line of state: STAGE MADE PATTERN, PATTERN the names of its jobs.
describe_jobs() {
  local stage=$1 job_folder=$2.job pattern=$3 by id name code state='' last_log='' running='' waiting='' failed=''
  local ended
  while IFS=$'\t' read -r by id name; do
    [[ $name =~ ^$pattern$ ]] || continue
    know_scheduler "$by"
    state=$(state_of "$id")
    [ "$state" != running ] || running+=" $id"
    [ "$state" != waiting ] || waiting+=" $id"
    IFS=$'\t' read -r ended code < <(last_end "$id" "$job_folder/ended") || code=''
    last_log=$(log_of "$name" "${ended:-$id}")
    case $state:$code in
      unknown:*) failed="not known: the scheduler does not answer" ;;
      gone:) ;;
      gone:0) failed='' ;;
      gone:*) failed="exit code $code, log $last_log" ;;
    esac
  done < <(cat "$job_folder/submitted" 2>/dev/null)
  if [ -n "$running" ]; then
    state="running  job$running"
  elif [ -n "$waiting" ]; then
    state="waiting  job$waiting"
  elif [ -n "$failed" ]; then
    state="failed   $failed"
  elif [ -n "$state" ]; then
    state="failed   ended without an exit code (cancelled, killed, or behind one that failed), log $last_log"
  else
    state='not submitted'
  fi
  printf '%-10s %s\n' "$stage" "$state"
}

show_status() {
  local stage made outdated
  for stage in "${stages[@]}"; do
    made=$(made_by "$stage")
    if [ -n "${setting[$stage:use]:-}" ]; then
      printf '%-10s %s\n' "$stage" "taken    ${setting[$stage:use]}"
    elif is_made "$stage" && outdated=$(outdated_by "$stage") && [ -n "$outdated" ]; then
      printf '%-10s %s\n' "$stage" "outdated $made, made before '$outdated' changed"
    elif is_made "$stage"; then
      printf '%-10s %s\n' "$stage" "done     $made"
    else
      describe_jobs "$stage" "$made" "$stage(\.[0-9]+)?"
    fi
    if [ "$stage" = evaluate ] && [ -n "${setting[evaluate:array]:-}" ]; then
      if is_made evaluate; then
        printf '%-10s %s\n' merge "done     $made"
      else
        describe_jobs merge "$made" evaluate-merge
      fi
    fi
  done
}

file='' dry_run='' status=no
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --dry-run) dry_run=yes ;;
    --status) status=yes ;;
    -*) fail 64 "unknown option '$1' (--help lists the options)" ;;
    *)
      [ -z "$file" ] || fail 64 "'$1': one FILE is asked for"
      file=$1 ;;
  esac
  shift
done
[ -n "$file" ] || fail 64 "which pipeline? pipeline.sh FILE [--dry-run | --status] (--help says more)"
{ [ -r "$file" ] && [ -f "$file" ]; } || fail 66 "cannot read '$file'"
read_file
if [ "$status" = yes ]; then
  show_status
  exit 0
fi
# Every stage's command is checked before any is submitted.
for stage in "${stages[@]}"; do command_of "$stage"; done
if [ -z "${setting[pack:use]:-}${setting[evaluate:data]:-}" ]; then
  command_of pack
  [ -n "$(option_value held-out "${words[@]}")" ] ||
    fail 64 "$file: nothing to evaluate: [pack] has no --held-out in its options, and [evaluate] no data"
fi
if [ -z "$dry_run" ]; then
  mkdir -p "$work" || fail 73 "cannot make '$work'"
  # Held by what this starts, too: of `local` the stages themselves.
  exec 9>"$work/pipeline.lock" || fail 73 "cannot write '$work/pipeline.lock'"
  flock --nonblock 9 || fail 73 "another pipeline.sh, or what it has started, is at work in '$work'"
fi
before=''
for stage in "${stages[@]}"; do
  [ -z "${setting[$stage:use]:-}" ] || continue
  submit_stage "$stage"
done
if [ -z "$before$dry_run" ]; then printf '\neverything is made: %s\n' "$work/report"; fi
