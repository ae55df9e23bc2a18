#!/usr/bin/env bash
# Installs the Debian packages that chainrule needs, saying so first and skipping what is there.
#   jobs/setup.sh build    what building and running need
#   jobs/setup.sh package  what making a Debian package needs besides
#   jobs/setup.sh test     what the tests need besides those of build
#   jobs/setup.sh check    what continuous integration needs besides (ThreadSanitizer comes with the compiler)
# Works as root, through sudo, or not at all where nothing is missing.
set -euo pipefail

build_packages=(
  g++ cmake ninja-build pkg-config
  libopenmpi-dev openmpi-bin libhdf5-dev zlib1g-dev libzstd-dev libdnnl-dev libboost-program-options-dev
  nlohmann-json3-dev libfmt-dev libhwloc-dev libpcre2-dev libxxhash-dev libutf8proc-dev
  libkainjow-mustache-dev linux-libc-dev
)
test_packages=(libgtest-dev libgmock-dev python3 python3-h5py python3-jsonschema python3-torch chromium shellcheck procps
  slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge libpmix2
  man-db tcl8.6 lua5.3 lua-posix lua-filesystem lua-term lua-json)
# Two module systems, of which Debian lets one be installed: tests take both from a folder of their own, so that neither
# takes the place of what a machine has.
unpacked_packages=(lmod environment-modules)
unpacked=${XDG_CACHE_HOME:-~/.cache}/chainrule/debian
check_packages=(clang-format-14 git clang libclang-rt-dev libomp-dev)  # clang for libFuzzer and AddressSanitizer
package_packages=(dpkg-dev file)

case "${1:-}" in
  build) wanted=("${build_packages[@]}") unpacked_packages=() ;;
  package) wanted=("${build_packages[@]}" "${package_packages[@]}") unpacked_packages=() ;;
  test) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
  check) wanted=("${build_packages[@]}" "${test_packages[@]}" "${check_packages[@]}") ;;
  *)
    echo "usage: jobs/setup.sh build|package|test|check" >&2
    exit 64
    ;;
esac

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
to_unpack=()
for package in ${unpacked_packages[@]+"${unpacked_packages[@]}"}; do
  [ -d "$unpacked/$package" ] || to_unpack+=("$package")
done
if [ $((${#missing[@]} + ${#to_unpack[@]})) -eq 0 ]; then
  echo "setup: every Debian package that is needed is there"
  exit 0
fi

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
if [ ${#missing[@]} -gt 0 ] && [ ${#as_root[@]} -gt 0 ] && ! command -v sudo >/dev/null; then
  {
    echo "setup: these Debian packages are missing, and installing them takes root (there is no sudo here either):"
    echo "    ${missing[*]}"
    echo "setup: ask an administrator for:  apt-get install --no-install-recommends ${missing[*]}"
  } >&2
  exit 69
fi

log=$(mktemp)
folder=$(mktemp -d)
trap 'rm -rf "$log" "$folder"' EXIT
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}
unpack() {
  local package
  for package in "${to_unpack[@]}"; do
    [ ! -d "$unpacked/$package" ] || continue
    (cd "$folder" && apt-get download -q "$package") || return
    dpkg-deb -x "$folder/${package}"_*.deb "$folder/$package" || return
    mkdir -p "$unpacked"
    mv "$folder/$package" "$unpacked/"
  done
}
# The package lists may be absent or old: try as it is, then once more with fresh ones.
try() {
  if ! { "$1" || { "${as_root[@]}" apt-get update -q && "$1"; }; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "setup: apt-get failed (its last lines are above)" >&2
    exit 69
  fi
}
if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: installing ${#missing[@]} Debian packages: ${missing[*]}"
  try install
fi
if [ ${#to_unpack[@]} -gt 0 ]; then
  echo "setup: unpacking Debian packages into $unpacked: ${to_unpack[*]}"
  try unpack
fi
echo "setup: installed"
