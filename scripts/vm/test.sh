#!/bin/bash
# Builds the tests, boots a virtual machine with cgroup v2 alone and systemd, and runs them
# there, as root and then as a user without root. Without ALL=1 the integration tests are
# those that are marked for this. RT=runc or RT=crun runs the guest's.
set -eu
cd "$(dirname "$0")/../.."

share=$PWD/.build/vm
rm -rf "$share"
mkdir -p "$share/integration" "$share/nsenter" "$share/scripts"
trap 'rm -rf "$share"' EXIT

# Linked statically, because the guest's C library may be older than this machine's.
CGO_ENABLED=0 go test -c -o "$share/integration/" ./integration
CGO_ENABLED=0 go test -c -o "$share/cgroups.test" ./cgroups
go test -c -tags "netgo osusergo" -ldflags "-linkmode external -extldflags -static" -o "$share/nsenter/" ./nsenter
mkdir "$share/integration/testdata"
for program in say calls; do
    gcc -static -O1 -o "$share/integration/testdata/$program" "integration/testdata/$program.c"
done
cp -r integration/testdata/managers "$share/integration/testdata/"
cp -r README.md scripts/vm/guest.sh "$share"
cp scripts/fuzz-init.sh "$share/scripts"

runtime=${RT:-$PWD/rt}
case $runtime in
*/*) cp "$runtime" "$share/rt"; runtime=/var/tmp/tests/rt ;;
esac
rows=vm
[ -z "${ALL:-}" ] || rows=all
printf '%s=%q\n' RT "$runtime" RT_ROWS "$rows" RT_SLOW "${RT_SLOW:-10}" RT_ALL "${RT_ALL:-}" RUN "${RUN:-}" >"$share/env"

chmod -R a+rX "$share"
run() { scripts/vm/run-in-vm --share "$share" --timeout "${TIMEOUT:-1500}" -- bash guest.sh; }
# 125: the guest has not run the tests to their end. Emulated kernels do stop, if rarely.
run && exit || code=$?
[ $code = 125 ] || exit $code
echo "test.sh: the virtual machine stopped; trying once more" >&2
run
