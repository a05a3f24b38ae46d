#!/usr/bin/env bash
# make test: all that proves the filter, from a bare clone. Ends with totals.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/toolchain.sh
. "$(dirname "$0")/toolchain.sh"
cd "$root"

need_linux
say "1/4 make check"
tools/check.sh
say "2/4 make wasm"
tools/wasm.sh
tools/wasm-panics.sh > /dev/null
say "3/4 tests of the filter, native"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
failed=0
cargo test --locked --no-fail-fast --package oidc_proxy_wasm --package oidc_proxy_wasm_cipher \
    --package oidc_proxy_wasm_memory 2>&1 | tee "$log" || failed=1
say "4/4 integration tests: Envoy, identity providers, browser"
need_node
need curl curl
need chromium chromium
need chromedriver chromium-driver
tools/store.sh
tools/providers.sh oidc-provider
tools/providers.sh keycloak > /dev/null
ENVOY="$(tools/envoy.sh)"
export ENVOY
# Each of these starts whole programs; a few at a time is what two cores carry.
cargo test --locked --no-fail-fast --package integration-tests -- --test-threads=2 2>&1 | tee -a "$log" || failed=1

awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
     END { printf "• %d tests passed, %d failed, %d ignored, in %d s\n", passed, failed, ignored, '"$SECONDS"' }' "$log"
exit "$failed"
