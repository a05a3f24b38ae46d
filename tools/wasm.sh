#!/usr/bin/env bash
# make wasm: builds the filter and puts it at dist/oidc_proxy_wasm.wasm.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/toolchain.sh
. "$(dirname "$0")/toolchain.sh"

choose_toolchain
say "building the filter"
wasm_module oidc_proxy_wasm
