#!/bin/bash
# Runs every fuzz target for FUZZTIME, a whole number of seconds or minutes. go test takes
# one target at a time.
set -eu
cd "$(dirname "$0")/.."
time=${FUZZTIME:-20s}
seconds=${time%[sm]}
[ "$time" = "${time%m}" ] || seconds=$((60 * seconds))
echo "fuzz: the init, $seconds s"
mkdir -p .build
(cd .build && ../scripts/fuzz-init.sh -t "$seconds" -s "$(date +%s)")

files=$(grep -rl --include=*_test.go '^func Fuzz' . || true)
for package in $(dirname $files | sort -u); do
    for target in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$package"/*_test.go | cut -d' ' -f2); do
        go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$time"
    done
done
