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
say "3/4 what the tests need: Envoy, identity providers, browser, and the tests themselves"
need_node
need curl curl
need chromium chromium
need chromedriver chromium-driver
tools/store.sh
tools/providers.sh oidc-provider
tools/providers.sh keycloak > /dev/null
ENVOY="$(tools/envoy.sh)"
export ENVOY
filter=(--package oidc_proxy_wasm --package oidc_proxy_wasm_cipher --package oidc_proxy_wasm_memory)
# Apart, as each would be built by itself: the crates that both use have other features for the integration tests.
cargo test --locked --no-run "${filter[@]}"
cargo test --locked --no-run --package integration-tests
say "4/4 tests: of the filter, native, and beside them in Envoy"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
failed=0
tools/test-programs.sh "${filter[@]}" -- --package integration-tests | tee "$log" || failed=1
cargo test --locked --doc "${filter[@]}" 2>&1 | tee -a "$log" || failed=1

awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
     END { printf "• %d tests passed, %d failed, %d ignored, in %d s\n", passed, failed, ignored, '"$SECONDS"' }' "$log"
exit "$failed"
