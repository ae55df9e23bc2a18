#!/usr/bin/env bash
# The main job, end to end, on this machine: installs what it needs, builds, trains a tokenizer, packs text into a data
# set, pretrains a small model on two ranks and evaluates it on documents it has never seen.
#   jobs/demo.sh            on the C and C++ headers under /usr/include, each library a domain; where there are none, on
#                           licences and Perl modules
#   jobs/demo.sh PATH...    on files and folders of your own, each PATH a domain
# Installed it is chainrule-demo, takes the program beside it and works in ./chainrule-demo.
set -euo pipefail
started_in=$PWD
jobs=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
installed=$jobs/../../../bin/chainrule
[ -x "$installed" ] || cd "$jobs/.."

ranks=2
bytes_per_domain=1500000
largest_file=200000

sources=()
for path in "$@"; do
  case $path in
    /*) sources+=("$path") ;;
    *) sources+=("$started_in/$path") ;;
  esac
done
for path in "${sources[@]}"; do
  if [ ! -r "$path" ]; then
    echo "demo: cannot read '$path'" >&2
    exit 66
  fi
done

if [ -x "$installed" ]; then
  CHAINRULE=$(readlink -f "$installed")
  runs=chainrule-demo
else
  jobs/setup.sh build
  jobs/build.sh
  CHAINRULE=$PWD/build/release/chainrule
  runs=build/demo
fi
export CHAINRULE
export OMPI_MCA_btl_vader_single_copy_mechanism=none  # containers forbid it

mkdir -p "$runs"
work=$(mktemp -d "$runs/$(date +%Y-%m-%d-%H%M%S)-XXXXXX")
corpus=$work/corpus
domains=()
collected=0

# collect DOMAIN FOLDER [find's EXPRESSION]: copies files of a folder (headers, if nothing is said) into a domain, in an
# order that mixes its subfolders, until the domain's share is full.
collect() {
  local domain=$1 folder=$2 file size total=0 count=0
  shift 2
  [ $# -gt 0 ] || set -- -name '*.h' -o -name '*.hpp' -o -name '*.tcc' -o -path '*/c++/*'
  [ -d "$folder" ] || return 0
  mkdir -p "$corpus/$domain"
  while IFS=$'\t' read -r size file; do
    [ $((total + size)) -le "$bytes_per_domain" ] || continue
    cp -- "$file" "$corpus/$domain/$(printf '%04d' "$count")-$(basename -- "$file")"
    total=$((total + size))
    count=$((count + 1))
  done < <(find "$folder" -type f -size +0 -size "-${largest_file}c" \
    \( "$@" \) -printf '%s\t%p\n' |
    awk -F '\t' '{ h = 0; for (i = 1; i <= length($2); ++i) h = (h * 31 + index(c, substr($2, i, 1))) % 1000003
                   print h "\t" $0 }' c="$(printf '%s' {a..z} {A..Z} {0..9} / . _ -)" | sort -k1,1n -k3,3 | cut -f 2-)
  if [ "$count" -eq 0 ]; then
    rmdir "$corpus/$domain"
    return 0
  fi
  printf '  %-10s %5d files %10d bytes\n' "$domain" "$count" "$total"
  collected=$((collected + total))
  domains+=(--domain "$domain=$corpus/$domain")
}

echo
echo "== 1. The corpus"
if [ ${#sources[@]} -gt 0 ]; then
  for path in "${sources[@]}"; do
    name=$(basename -- "$path")
    echo "  $name: $path"
    domains+=(--domain "$name=$path")
  done
else
  echo "C and C++ headers of this machine, at most $bytes_per_domain bytes from each library:"
  collect libstdc++ /usr/include/c++
  collect boost /usr/include/boost
  collect linux /usr/include/linux
  collect hdf5 /usr/include/hdf5/serial
  for folder in /usr/lib/*/openmpi/include; do collect openmpi "$folder"; done
  collect onednn /usr/include/oneapi
  collect nlohmann /usr/include/nlohmann
  collect fmt /usr/include/fmt
  if [ "$collected" -lt "$bytes_per_domain" ]; then
    echo "There are few of them here; and what every Debian has:"
    collect licences /usr/share/doc -name copyright
    for folder in /usr/lib/*/perl-base; do collect perl "$folder" -name '*.p[lm]'; done
  fi
  if [ "$collected" -lt "$bytes_per_domain" ]; then
    echo "demo: too little text on this machine: name files or folders of your own" >&2
    exit 66
  fi
fi
# Words as pipeline.cfg takes them.
quoted() { printf '%s\n' "$@" | sed 's|[^A-Za-z0-9_./=+-]|\\&|g' | paste -sd ' '; }

inputs=()
for argument in "${domains[@]}"; do
  [ "$argument" = --domain ] || inputs+=("${argument#*=}")
done

cat >"$work/pipeline.cfg" <<END
# What this demo runs: jobs/pipeline.sh $work/pipeline.cfg
work = $work
scheduler = local
threads = 1

[tokenizer]
title = 2. A tokenizer of 2,048 tokens, learned from the corpus
options = --input $(quoted "${inputs[@]}") --vocabulary-size 2048

[pack]
title = 3. The corpus as tokens, a tenth of its documents held out ($ranks ranks)
ranks-per-node = $ranks
options = $(quoted "${domains[@]}") --held-out 0.1

[pretrain]
title = 4. Pretraining a model of about a million parameters ($ranks ranks)
ranks-per-node = $ranks
options = --model tiny --layers 4 --heads 4 --width 128 --sequence-length 256 --micro-batch 8 --global-batch 16
options = --steps 360 --warmup-steps 30 --learning-rate 2e-3 --minimum-learning-rate 2e-4 --log-every 20
options = --validate-every 100 --validation-tokens 32768 --checkpoint-every 180

[evaluate]
title = 5. The perplexity of the held-out documents ($ranks ranks)
ranks-per-node = $ranks
END
"$jobs/pipeline.sh" "$work/pipeline.cfg"

echo
echo "Everything this run made is in $work (pipeline.cfg says how; logs are in its folders *.job):"
echo "  data/      the data sets      (chainrule inspect \"$work/data/train\")"
echo "  run/       the trained model  (chainrule inspect \"$work/run\"; its curves: chainrule report \"$work/run\")"
echo "  report/    report.html (for a browser), report.json, domains.csv, documents.csv, environment.json"
