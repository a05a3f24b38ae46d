#!/usr/bin/env bash
# make bench: what a request costs with the filter, beside Envoy's own filters, measured in one run.
#   STARTS    how often all Envoys are started anew, default 9: where a start lays its code is worth some microseconds
#   ROUNDS    how often each load is measured after one start, default 12
#   REQUESTS  of one load in one round, default 400
#   FLOOD     good access tokens, and bad ones, that go through one Envoy at the end, default 1000000; 0 leaves them out
#   STRICT=1  fails for a missed goal too, not only for a wrong answer
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/toolchain.sh
. "$(dirname "$0")/toolchain.sh"
cd "$root"

for setting in "STARTS=${STARTS:=9}" "ROUNDS=${ROUNDS:=12}" "REQUESTS=${REQUESTS:=400}" "FLOOD=${FLOOD:=1000000}"; do
    case "${setting#*=}" in
        '' | *[!0-9]* | ????????*) fail "$setting is not a number up to 9999999" ;;
    esac
done
[ "$STARTS" -gt 0 ] && [ "$ROUNDS" -gt 0 ] && [ "$REQUESTS" -gt 0 ] || fail "STARTS, ROUNDS and REQUESTS must be 1 at least"
export STARTS ROUNDS REQUESTS FLOOD

need_linux
[ -f dist/oidc_proxy_wasm.wasm ] || fail "dist/oidc_proxy_wasm.wasm is not there: make wasm"
choose_toolchain
say "building the filter that does nothing"
wasm_module noop-filter
ENVOY="$(tools/envoy.sh)"
export ENVOY
say "building the bench"
bench() { cargo run --quiet --locked --package integration-tests --bin bench -- "$@"; }

# Each part says what it has to say, whatever came of the one before.
failed=''
bench || failed=1
[ "$FLOOD" = 0 ] || bench flood || failed=1
if has valgrind; then
    tools/instructions.sh || failed=1
else
    say "instructions are not counted: valgrind is missing (Debian package valgrind)"
fi
[ -z "$failed" ]
