#!/bin/bash
# Runs every fuzz target for FUZZTIME. go test takes one target at a time.
set -eu
cd "$(dirname "$0")/.."
files=$(grep -rl --include=*_test.go '^func Fuzz' . || true)
for package in $(dirname $files | sort -u); do
    for target in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$package"/*_test.go | cut -d' ' -f2); do
        go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-20s}"
    done
done
