#!/usr/bin/env bash
# Makes the Debian package of this source on a release of Debian and tries it on a bare one: lintian, installation with
# what it depends on, and the demo as a user without root. As root, with a network; about half an hour.
#   tests/packaging/check_package.sh SUITE FOLDER [PACKAGE]
#     SUITE    bookworm or trixie
#     FOLDER   for two root folders, FOLDER/build and FOLDER/bare (3 GB); one that is there is gone on with
#     PACKAGE  a .deb made on SUITE before, instead of building one
set -euo pipefail
cd "$(dirname "$0")/../.."
suite=${1:?usage: check_package.sh SUITE FOLDER [PACKAGE]}
folder=$(realpath -m "${2:?usage: check_package.sh SUITE FOLDER [PACKAGE]}")
package=${3:-}
mirror=http://deb.debian.org/debian

command -v debootstrap >/dev/null || apt-get install -y -q --no-install-recommends debootstrap

# A bare root; what a root has of this machine is only the way to the network, and its devices.
make_root() {
  local root=$folder/$1 each
  if [ ! -e "$root/.whole" ]; then
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror" >/dev/null
    touch "$root/.whole"
  fi
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  for each in proc dev sys; do
    mountpoint -q "$root/$each" || mount --rbind --make-rslave "/$each" "$root/$each"
  done
}
leave() {
  local each
  for each in {build,bare}/{proc,dev,sys}; do
    if mountpoint -q "$folder/$each"; then umount --recursive --lazy "$folder/$each"; fi
  done
}
trap leave EXIT
inside() {
  local root=$1
  shift
  chroot "$folder/$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"
}

# Builds the package; sets `package`.
build_package() {
  make_root build
  inside build apt-get update -qq
  mkdir -p "$folder/build/srv/chainrule"
  git ls-files -z | tar --null -T - -cf - | tar -C "$folder/build/srv/chainrule" -xf -
  inside build bash -ec '
    cd /srv/chainrule
    jobs/setup.sh package
    jobs/build.sh
    cd build/release
    rm -f ./*.deb
    cpack -G DEB'
  package=$(echo "$folder"/build/srv/chainrule/build/release/*.deb)
}

echo "== 1. The package for $suite"
[ -n "$package" ] || build_package
dpkg-deb --info "$package"
command -v lintian >/dev/null || apt-get install -y -q --no-install-recommends lintian
lintian --allow-root --fail-on error "$package"

echo "== 2. On a bare $suite"
make_root bare
inside bare apt-get update -qq
rm -f "$folder"/bare/srv/*.deb
cp "$package" "$folder/bare/srv/"
inside bare bash -ec '
  apt-get install -y -qq --reinstall --no-install-recommends /srv/*.deb >/dev/null
  chainrule --version
  id visitor >/dev/null 2>&1 || useradd --create-home visitor'
if inside bare bash -c 'command -v g++ cmake'; then
  echo "check_package.sh: '$folder/bare' has a compiler: it is not bare" >&2
  exit 70
fi

echo "== 3. The demo as a user without root"
# /dev is this machine's own, whose terminal and shared memory anyone may use.
inside bare su visitor -c 'cd && id && chainrule-demo && find chainrule-demo -name report.html'
