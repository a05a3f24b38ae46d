#!/usr/bin/env bash
# Builds the filter with the feature `panic-after-refresh`, for the test in which a worker is lost, and prints where it is.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/toolchain.sh
. "$(dirname "$0")/toolchain.sh"

choose_toolchain
# A folder of its own: no build of this may ever be taken for the product. Nobody measures it, so it is built fast.
folder="$root/target/panics"
wasm_env+=(CARGO_TARGET_DIR="$folder" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16)
once panics wasm_cargo rustc --quiet --release --lib --crate-type cdylib --target "$wasm_target" --locked \
    --package oidc_proxy_wasm --features panic-after-refresh >&2
printf '%s\n' "$folder/$wasm_target/release/oidc_proxy_wasm.wasm"
