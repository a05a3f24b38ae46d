#!/usr/bin/env bash
# make bench: what a request costs with the filter, beside Envoy's own filters, measured in one run.
#   ROUNDS    how often each load is measured, default 80      REQUESTS  of one load in one round, default 400
#   STRICT=1  fails for a missed goal too, not only for a wrong answer
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/toolchain.sh
. "$(dirname "$0")/toolchain.sh"
cd "$root"

for setting in "ROUNDS=${ROUNDS:=80}" "REQUESTS=${REQUESTS:=400}"; do
    case "${setting#*=}" in
        '' | *[!0-9]* | ???????*) fail "$setting is not a number from 1 to 999999" ;;
        *) [ "${setting#*=}" -gt 0 ] || fail "$setting is not a number from 1 to 999999" ;;
    esac
done
export ROUNDS REQUESTS

need_linux
[ -f dist/oidc_proxy_wasm.wasm ] || fail "dist/oidc_proxy_wasm.wasm is not there: make wasm"
choose_toolchain
say "building the filter that does nothing"
wasm_module noop-filter
ENVOY="$(tools/envoy.sh)"
export ENVOY
say "building the bench"
exec cargo run --quiet --locked --package integration-tests --bin bench
