#!/bin/bash
# All Go tests. Passing packages print one line and what they skipped, failing ones all.
set -eu -o pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || echo "test.sh: not root: tests that need root are skipped and listed" >&2

go vet ./...

report='
{ lines[n++] = $0 }
/^=== (RUN|NAME|CONT)/ { test = $3 }
/^ +[a-z0-9_]+\.go:[0-9]+: / { said[test] = $0 }
/^ *--- SKIP: / { skips[m++] = "skipped: " $3 said[$3] }
/^(ok|FAIL|\?)[ \t]+[a-z]/ {
    if ($1 == "FAIL") for (i = 0; i < n; i++) print lines[i]
    else { for (i = 0; i < m; i++) print skips[i]; print }
    n = m = 0
}
END { for (i = 0; i < n; i++) print lines[i] }
'
packages=$(go list ./... | grep -v '/integration$')
# shellcheck disable=SC2086
go test -v $packages | awk "$report"

# In the package's directory go test prints what passing tests print: the skipped rows.
go -C integration test -count=1
