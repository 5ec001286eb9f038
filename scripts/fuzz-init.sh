#!/bin/bash
# Builds the init's fuzzer, nsenter/init/fuzz.c, and runs it here with the arguments given.
# Exit 77: gcc has no sanitizers.
set -eu
source=$(realpath "$(dirname "$0")/../nsenter/init")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

sanitize="-fsanitize=address,undefined -fno-sanitize-recover=all"
# shellcheck disable=SC2086
echo 'int main(void) { return 0; }' | gcc $sanitize -o "$dir/probe" -xc - 2>/dev/null ||
    { echo "fuzz-init.sh: gcc has no sanitizers" >&2; exit 77; }

shopt -s extglob
# shellcheck disable=SC2086
gcc -DFUZZ -g -O1 $sanitize -Wall -Wextra -Werror -o "$dir/fuzz" "$source"/!(start).c
"$dir/fuzz" "$@"
