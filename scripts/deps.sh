#!/bin/bash
# Installs what building and testing need and this machine lacks. Looks for the things, not
# for the packages, so that other distributions pass once they have them. "deps.sh vm" does
# so for the virtual machine of "make integration-vm", "deps.sh managers" for "make managers".
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
    podman | buildah | conmon | umoci | skopeo | catatonit | slirp4netns | fuse-overlayfs | iptables | containerd) command -v "$1" >/dev/null ;;
    nftables) command -v nft >/dev/null ;;
    docker.io) command -v dockerd >/dev/null && command -v docker >/dev/null ;;
    netavark | aardvark-dns) [ -x /usr/lib/podman/"$1" ] || [ -x /usr/libexec/podman/"$1" ] ;;
    containernetworking-plugins) [ -x /usr/lib/cni/bridge ] || [ -x /opt/cni/bin/bridge ] ;;
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
managers) wanted="busybox-static podman buildah conmon umoci skopeo catatonit slirp4netns fuse-overlayfs iptables nftables
    netavark aardvark-dns containernetworking-plugins uidmap containerd docker.io runc" ;;
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
# Tests start their own daemons: none of the host's may come up by the installation.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    trap 'rm -f $policy' EXIT
fi
apt-get install -q -y --no-install-recommends "${missing[@]}"

# Nor at the next boot.
if command -v systemctl >/dev/null; then
    for package in "${missing[@]}"; do
        for unit in $(dpkg -L "$package" | sed -nE 's#.*/systemd/system/([^/@]*\.(service|socket|timer))$#\1#p'); do
            systemctl disable "$unit"
        done
    done
fi
