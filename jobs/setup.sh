#!/usr/bin/env bash
# Installs the Debian packages that chainrule needs, saying so first and skipping what is there.
#   jobs/setup.sh build    what building and running need
#   jobs/setup.sh test     what the tests need besides
#   jobs/setup.sh check    what continuous integration needs besides (sanitizers come with the compiler)
# Works as root, through sudo, or not at all where nothing is missing.
set -euo pipefail

build_packages=(
  g++ cmake ninja-build pkg-config
  libopenmpi-dev openmpi-bin libhdf5-dev zlib1g-dev libzstd-dev libdnnl-dev libboost-program-options-dev
  nlohmann-json3-dev libfmt-dev libhwloc-dev libpcre2-dev libxxhash-dev libutf8proc-dev
  libkainjow-mustache-dev linux-libc-dev
)
test_packages=(libgtest-dev libgmock-dev python3 python3-h5py python3-jsonschema python3-torch chromium shellcheck procps
  slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge libpmix2)
check_packages=(clang-format-14 git clang libclang-rt-dev libomp-dev)  # clang for libFuzzer alone

case "${1:-}" in
  build) wanted=("${build_packages[@]}") ;;
  test) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
  check) wanted=("${build_packages[@]}" "${test_packages[@]}" "${check_packages[@]}") ;;
  *)
    echo "usage: jobs/setup.sh build|test|check" >&2
    exit 64
    ;;
esac

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: every Debian package that is needed is there"
  exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif command -v sudo >/dev/null; then
  as_root=(sudo)
else
  {
    echo "setup: these Debian packages are missing, and installing them takes root (there is no sudo here either):"
    echo "    ${missing[*]}"
    echo "setup: ask an administrator for:  apt-get install --no-install-recommends ${missing[*]}"
  } >&2
  exit 69
fi

echo "setup: installing ${#missing[@]} Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}
# The package lists may be absent or old: try as it is, then once more with fresh ones.
if ! { install || { "${as_root[@]}" apt-get update -q && install; }; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "setup: apt-get failed (its last lines are above)" >&2
  exit 69
fi
echo "setup: installed"
