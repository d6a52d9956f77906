#!/usr/bin/env bash
# Sets up what `onecopy bench peers` compares with, from Debian's or Ubuntu's own packages. As root:
#
#   bench/peers/install.sh [ROOT]
#
# On the system itself: its Open MPI and MPICH, with compilers. In ROOT, a Debian of its own that is entered with
# chroot: the newest Open MPI, MPICH and UCX that Debian has. ROOT is /opt/onecopy-peers unless it is given here or in
# ONECOPY_PEERS, where `onecopy bench peers` looks for it too. It takes 1.5 GB and some minutes, and can be run again.
#
# /proc, /sys, /dev and /dev/shm are mounted inside ROOT: unmount them, in the opposite order, before deleting it.
set -euo pipefail

root=${1:-${ONECOPY_PEERS:-/opt/onecopy-peers}}
suite=${ONECOPY_PEERS_SUITE:-testing}
mirror=${ONECOPY_PEERS_MIRROR:-}
in_root=(openmpi-bin libopenmpi-dev mpich libmpich-dev libucx-dev ucx-utils gcc libc6-dev ca-certificates)
on_system=(openmpi-bin libopenmpi-dev mpich libmpich-dev debootstrap)

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

# The mirror that this Debian uses, which may be the only one that can be reached.
own_mirror() {
  grep -rhoE --include='*.list' --include='*.sources' 'https?://[^ ]*/debian/?( |$)' \
    /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | tr -d ' ' | head -n 1 || true
}

install_on_system() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${on_system[@]}" >/dev/null
}

make_root() {
  [ -x "$root/usr/bin/ucx_perftest" ] && [ -x "$root/usr/bin/mpirun.mpich" ] && return
  [ -n "$mirror" ] || mirror=$(own_mirror)
  local include script=/usr/share/debootstrap/scripts/sid
  include=$(IFS=, && echo "${in_root[*]}")
  debootstrap --variant=minbase --include="$include" \
    "$suite" "$root" "${mirror:-https://deb.debian.org/debian}" "$script" >/dev/null ||
    fail "debootstrap failed, see $root/debootstrap/debootstrap.log"
}

mount_in_root() {
  for folder in proc sys dev dev/shm; do
    mountpoint -q "$root/$folder" || mount --bind "/$folder" "$root/$folder"
  done
}

[ "$(id -u)" = 0 ] || fail 'run it as root: it installs packages and makes a chroot'
command -v apt-get >/dev/null || fail 'this is neither Debian nor Ubuntu: name your MPIs with --mpi'
install_on_system
make_root
mount_in_root
echo "On the system: $(mpirun.openmpi --version | head -n 1); MPICH $(mpichversion | sed -n '1s/.*:[[:space:]]*//p')"
echo "In $root: $(chroot "$root" mpirun.openmpi --version | head -n 1); MPICH $(chroot "$root" mpichversion | sed -n '1s/.*:[[:space:]]*//p')"
[ "$root" = /opt/onecopy-peers ] || echo "Now: export ONECOPY_PEERS=$root"
