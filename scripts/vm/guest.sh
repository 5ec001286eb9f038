#!/bin/bash
# The part of test.sh that runs in the guest.
set -eu
cp -r /share /var/tmp/tests # /share is slow
cd /var/tmp/tests
export TMPDIR=/var/tmp # /tmp is mounted nodev
set -a
. ./env
set +a

failed=()
# step TITLE COMMAND...: its output is that of a Go test: failures, and what was skipped.
step() {
    local title=$1 began=$SECONDS
    shift
    echo "=== $title"
    if "$@"; then
        echo "ok    $title, $((SECONDS - began)) s"
    else
        echo "FAIL  $title, exit $?, $((SECONDS - began)) s"
        failed+=("$title")
    fi
}

in_dir() { (cd "$1" && shift && "$@"); }
integration=(./integration.test ${RUN:+-test.run "$RUN"})

grep -o 'Linux version [^ ]*' /proc/version
[ -n "$RUN" ] || step "cgroups, as root" ./cgroups.test
[ -n "$RUN" ] || step "nsenter, as root" in_dir nsenter ./nsenter.test
step "integration with $RT, as root" in_dir integration "${integration[@]}"
step "integration with $RT, as a user without root" in_dir integration \
    as-user env RT="$RT" RT_ROWS="$RT_ROWS" RT_SLOW="$RT_SLOW" RT_ALL="$RT_ALL" "${integration[@]}"

[ ${#failed[@]} = 0 ] || { printf 'failed: %s\n' "${failed[@]}"; exit 1; }
