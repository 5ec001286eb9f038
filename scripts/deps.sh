#!/bin/bash
# Installs what building and testing need and this machine lacks. Looks for the things, not
# for the packages, so that other distributions pass once they have them. "deps.sh vm" does
# so for the virtual machine of "make integration-vm".
set -eu
PATH=$PATH:/usr/sbin:/sbin

has() {
    case $1 in
    libseccomp-dev) pkg-config --exists libseccomp 2>/dev/null ;;
    pkg-config | runc | crun | strace | jq | zsh | fish | mandoc | debootstrap | mmdebstrap) command -v "$1" >/dev/null ;;
    musl-tools) command -v musl-gcc >/dev/null ;;
    busybox-static) command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1 ;;
    gcc-aarch64-linux-gnu) command -v aarch64-linux-gnu-gcc >/dev/null ;;
    libc6-dev-arm64-cross) [ -e /usr/aarch64-linux-gnu/include/asm/unistd.h ] ;;
    man-db) command -v man >/dev/null ;;
    uidmap) command -v newuidmap >/dev/null && command -v newgidmap >/dev/null ;;
    qemu-user) command -v qemu-aarch64 >/dev/null ;;
    qemu-system-x86) command -v qemu-system-x86_64 >/dev/null ;;
    debian-archive-keyring) [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] ;;
    e2fsprogs) command -v mke2fs >/dev/null ;;
    xz-utils) command -v xz >/dev/null ;;
    esac
}

# What "make managers" runs in these versions, whatever the distribution has. Built once, into
# the user's cache; integration/managers looks for it there.
built() {
    local dir=${XDG_CACHE_HOME:-$HOME/.cache}/rt-managers version=$1 package name
    for package in "${@:2}"; do
        name=${package##*/}
        if ! go version -m "$dir/$name" 2>/dev/null | grep -qE "^[[:space:]]mod[[:space:]].*[[:space:]]$version([[:space:]]|$)"; then
            GOBIN=$dir go install "$package@$version"
        fi
    done
}

if [ "${1:-}" = managers ]; then
    c=github.com/containerd/containerd/v2/cmd
    built v2.4.2 $c/containerd $c/ctr $c/containerd-shim-runc-v2
    built v1.3.1 github.com/containernetworking/cni/cnitool
fi

case ${1:-} in
managers) wanted="" ;;
vm) wanted="qemu-system-x86 mmdebstrap debian-archive-keyring e2fsprogs xz-utils" ;;
*) wanted="pkg-config libseccomp-dev musl-tools busybox-static gcc-aarch64-linux-gnu
    libc6-dev-arm64-cross qemu-user uidmap runc crun strace jq debootstrap
    man-db mandoc zsh fish" ;;
esac
missing=()
for package in $wanted; do
    has $package || missing+=($package)
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "deps.sh: missing: ${missing[*]} (Debian's names); only root with apt-get can install them here" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "${missing[@]}"
