#!/bin/bash
# A tour of rt. Every command is shown, run and checked; nothing is left behind.
set -eu -o pipefail
cd "$(dirname "$0")/.."

die() { echo "demo.sh: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "needs root"
program=${RT:-$PWD/rt}
[ -x "$program" ] || die "no $program: run make build"
busybox=$(command -v busybox) || die "no busybox: run make deps"

work=$(mktemp -d)
# State and cgroups of its own, so that a container called "web" elsewhere is no trouble.
rt() { "$program" --root "$work/state" "$@"; }
cgroup=/rt-demo-$$

cleanup() {
    local code=$?
    trap - EXIT
    rt delete --force web || code=1
    cd /
    rm -rf "$work"
    exit $code
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n# %s\n' "$*"; }

show() {
    printf '$ %s\n' "$1"
    eval "$1"
}

# refused is show for a command that has to fail.
refused() {
    printf '$ %s   # fails\n' "$1"
    if eval "$1" 2>&1; then die "this should have been refused"; fi
}

bundle() {
    mkdir -p "$work/web/rootfs/bin"
    cp "$busybox" "$work/web/rootfs/bin/busybox"
    local applet
    for applet in sh sleep ps ls cat hostname id tty; do
        ln -s busybox "$work/web/rootfs/bin/$applet"
    done
    cd "$work/web"
}

# own_bundle gives the bundle to a user without privileges, who could not enter $work, and as_user shows
# and runs rt as that user.
own_bundle() {
    mkdir "$work/mine"
    cp "$program" "$work/rt"
    cp -R "$work/web/rootfs" "$work/mine/"
    chown -R 12345:12345 "$work/mine"
    chmod 755 "$work"
}
as_user() {
    printf '$ %s\n' "$*"
    (cd "$work/mine" && shift && setpriv --reuid 12345 --regid 12345 --clear-groups env -i PATH="$PATH" \
        "$work/rt" --root "$work/mine/state" "$@")
}

await_end() {
    local i
    for i in $(seq 100); do
        rt state web | grep -q '"status": "stopped"' && return
        sleep 0.1
    done
    die "web has not stopped after 10 s"
}

bundle
say "A bundle is a directory with a root file system (here busybox) and a config.json"
show "rt spec"
show "sed -i 's/\"terminal\": true/\"terminal\": false/; s/\"sh\"/\"sleep\", \"1000\"/' config.json"
jq ".linux.cgroupsPath = \"$cgroup\"" config.json >config.new
mv config.new config.json
show "ls"

say "create makes everything up to the point where the workload would be executed; a small C program waits there"
show "rt create web"
show "rt state web | grep -E 'status|pid'"
show "grep VmRSS /proc/\$(rt state web | jq .pid)/status"

say "start lets the waiting init become the workload"
show "rt start web"
show "rt list"

say "exec runs another process beside it"
show "rt exec web hostname"
show "rt exec web ps"
show "rt exec -t web tty"
show "rt ps web"

say "update changes limits while it runs, --dry-run shows what would be written; events prints what it uses"
show "rt update --pids-limit 50 --dry-run web"
show "rt update --pids-limit 50 web"
show "rt events --stats web | jq -c '.data.pids, .data.memory.usage'"

say "kill sends a signal, delete removes what is left"
show "rt kill web KILL"
await_end
show "rt state web | grep status"
show "rt delete web"
refused "rt state web"

say "A hook is a program of the host that is called at a point of the container's life"
jq '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "cat >hook.json"]}]
    | .process.args = ["hostname"]' config.json >config.new
mv config.json config.plain
mv config.new config.json
show "jq .hooks config.json"
show "rt run web"
show "jq -c . hook.json"
mv config.plain config.json

say "Without root: uid 12345, which has nothing here but its own directory"
own_bundle
as_user rt spec --rootless
jq '.process.terminal = false | .process.args = ["id"]' "$work/mine/config.json" >"$work/config.new"
cp "$work/config.new" "$work/mine/config.json"
as_user rt run mine

say "plan shows what create would do, and which part of config.json asked for it"
show "rt plan >plan.txt"
show "grep -m 12 ^init plan.txt"
show "rt plan --explain /linux/maskedPaths/2"

say "All mistakes are found at once, with their lines, before anything is made"
show "sed -i 's/\"ro\"/\"rox\"/; s/\"cwd\": \"/&srv/; s/\"type\": \"uts\"/\"type\": \"utc\"/' config.json"
refused "rt run web"
