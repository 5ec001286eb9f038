#!/bin/bash
# What a change must satisfy besides the tests.
set -eu -o pipefail
cd "$(dirname "$0")/.."

unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)
[ -z "$unformatted" ] || { echo "gofmt: $unformatted" >&2; exit 1; }

go vet ./...
go vet -tags managers ./integration/managers

for source in $INIT_SRC; do
    # shellcheck disable=SC2086
    gcc $INIT_CFLAGS -fanalyzer -c -o /dev/null "$source"
done

sums() { git ls-files -co --exclude-standard -z | xargs -0 sha256sum; }
before=$(sums)
go generate ./...
diff <(echo "$before") <(sums) || { echo "go generate changed these files: commit them" >&2; exit 1; }
echo "check: ok"
