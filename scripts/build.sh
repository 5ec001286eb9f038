#!/bin/bash
# build.sh OUT PACKAGE builds a main package of this module. LINK says how: musl, static
# (glibc) or dynamic; without it, the first of them that this machine can do. Start and exit
# of an empty program: musl 1.3 ms, static glibc 1.9, dynamic 2.1.
set -eu
out=$1 package=$2
cd "$(dirname "$0")/.."

libdir=/usr/lib/$(gcc -print-multiarch)
archive=$libdir/libseccomp.a

can() {
    case $1 in
    musl) command -v musl-gcc >/dev/null && [ -e "$archive" ] ;;
    static) [ -e "$archive" ] && [ -e "$libdir/libc.a" ] ;;
    dynamic) pkg-config --exists libseccomp ;;
    esac
}

choose() {
    local link
    for link in musl static dynamic; do
        can $link && break
    done
    [ $link = musl ] || echo "build.sh: no musl-gcc or no $archive: linking ${link/static/static with glibc}, starts slower" >&2
    echo $link
}

# musl-gcc looks into musl's headers only, and must not see glibc's: this gives it the
# kernel's and libseccomp's, and the archive by its path instead of -lseccomp.
musl_toolchain() {
    local dir=$PWD/.build/musl
    mkdir -p "$dir/include"
    ln -sfn /usr/include/linux /usr/include/asm-generic /usr/include/seccomp.h /usr/include/seccomp-syscalls.h \
        "/usr/include/$(gcc -print-multiarch)/asm" "$dir/include/"
    local version
    version=$(PKG_CONFIG_PATH='' pkg-config --modversion libseccomp)
    # Written aside and renamed, for builds that run side by side.
    printf 'Name: libseccomp\nDescription: for musl\nVersion: %s\nCflags: -I%s\nLibs: %s\n' \
        "$version" "$dir/include" "$archive" >"$dir/libseccomp.pc.$$"
    mv "$dir/libseccomp.pc.$$" "$dir/libseccomp.pc"
    export CC=musl-gcc PKG_CONFIG_PATH=$dir
}

link=${LINK:-$(choose)}
can "$link" || { echo "build.sh: this machine cannot link $package: $link" >&2; exit 1; }
ldflags="-s -w -X rt/internal/cli.version=${VERSION:-dev} -X rt/internal/cli.commit=${COMMIT:-unknown}"
[ "$link" != musl ] || musl_toolchain
wrap=
[ "$package" != . ] || wrap=-Wl,--wrap=main # procs.go
[ "$link" = dynamic ] || ldflags+=" -linkmode external -extldflags '-static $wrap'"

export CGO_ENABLED=1
exec go build -trimpath -buildvcs=false -tags "netgo osusergo" -ldflags "$ldflags" -o "$out" "$package"
