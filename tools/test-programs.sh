#!/usr/bin/env bash
# test-programs.sh CARGO-ARGS... -- CARGO-ARGS...: runs the test programs of the packages that cargo's arguments name, and
# prints what each has said when it has ended. Fails when one does.
#
# The programs of the first packages do nothing but compute. They run one after the other, and get what the others leave of the
# processors. Those of the second start whole servers and wait for them, for timeouts and for the end of short lives: some run
# at once, and what takes a Keycloak shares one. A program run by itself with cargo test needs none of this.
#   PROGRAMS   how many of the second at once, default: one more than there are processors
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

readonly logs="$root/target/tests"
readonly times="$logs/seconds" # of each program in the last run
programs=()                    # of this run: name, tab, folder of its package, tab, file

main() {
    local first=()
    while [ "$1" != -- ]; do
        first+=("$1")
        shift
    done
    shift
    mkdir -p "$logs"
    rm -f "$logs"/*.log "$logs/failed" "$logs/new"
    touch "$times" "$logs/new"
    work="$(mktemp -d "$logs/XXXXXX")"
    trap end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    start_keycloak

    list "${first[@]}"
    run_in_turn "${programs[@]}" 9>&- &
    computing=$!
    list "$@"
    run_some_at_once "${programs[@]}" 9>&-
    wait "$computing"
    computing=
    mv "$logs/new" "$times"
    [ ! -e "$logs/failed" ] || fail "failed: $(tr '\n' ' ' < "$logs/failed")"
}

# The one that all share (`integration-tests/src/idp.rs`); whoever needs it waits until it is there.
start_keycloak() {
    local ports
    mapfile -t ports < <(node tools/free-ports.mjs 2)
    mkfifo "$work/leash"
    exec 9<> "$work/leash" # while this is open, it runs
    PORT="${ports[0]}" MANAGEMENT_PORT="${ports[1]}" WORK="$work" \
        tools/leash.sh tools/idp/keycloak.sh < "$work/leash" > "$logs/keycloak.log" 2>&1 9>&- &
    keycloak=$!
    export SHARED_KEYCLOAK_PORT="${ports[0]}"
}

# list CARGO-ARGS...: fills `programs`, the longest of the last run first, and before them those that are new.
list() {
    local found
    found="$(cargo test --quiet --locked --no-run --message-format=json "$@" | node -e '
const { basename, dirname } = require("node:path");
for (const line of require("node:fs").readFileSync(0, "utf8").split("\n")) {
  const told = line.startsWith("{") ? JSON.parse(line) : {};
  if (told.executable && told.profile.test)
    console.log([told.target.name, dirname(told.manifest_path), told.executable].join("\t"));
}')"
    mapfile -t programs < <(awk -F '\t' 'FILENAME == ARGV[1] { took[$1] = $2; next }
        { print ($1 in took ? took[$1] : 9999) "\t" $0 }' "$times" <(printf '%s\n' "$found") | sort -rn | cut -f 2-)
}

run_in_turn() {
    local program
    for program in "$@"; do
        nice -n 10 "$0" --one "$program"
    done
}

run_some_at_once() {
    printf '%s\0' "$@" | xargs -0 -n 1 -P "${PROGRAMS:-$(($(nproc) + 1))}" "$0" --one
}

# Runs one, and prints what it has said in one piece. It never fails: the others are to run too.
one() {
    local name folder file threads=() began=$SECONDS
    IFS=$'\t' read -r name folder file <<< "$1"
    # Each test starts whole programs; a few at a time is what two cores carry.
    [ "$(basename "$folder")" != integration-tests ] || threads=(--test-threads=2)
    (cd "$folder" && CARGO_MANIFEST_DIR="$folder" "$file" "${threads[@]}") > "$logs/$name.log" 2>&1 ||
        printf '%s\n' "$name" >> "$logs/failed"
    printf '%s\t%d\n' "$name" "$((SECONDS - began))" >> "$logs/new"
    flock "$logs" sh -c 'printf "\n• %s, %d s\n" "$1" "$2" && cat "$3"' sh "$name" "$((SECONDS - began))" "$logs/$name.log"
}

end() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP
    exec 9>&-
    [ -z "${computing:-}" ] || kill "$computing" 2> /dev/null || true
    [ -z "${keycloak:-}" ] || wait "$keycloak" 2> /dev/null || true
    rm -rf "$work"
    exit "$status"
}

if [ "${1:-}" = --one ]; then one "$2"; else main "$@"; fi
