#!/usr/bin/env bash
# make wasm: builds the filter and puts it at dist/oidc_proxy_wasm.wasm.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/toolchain.sh
. "$(dirname "$0")/toolchain.sh"

choose_toolchain
say "building the filter"
wasm_cargo build --release --lib --target "$wasm_target" --locked
for setting in "${wasm_env[@]}"; do
    case "$setting" in CARGO_TARGET_DIR=*) target_dir="${setting#*=}" ;; esac
done
built="$target_dir/$wasm_target/release/oidc_proxy_wasm.wasm"
mkdir -p "$root/dist"
# Only a changed module gets a new date, so that what depends on it is not done again for nothing.
cmp -s "$built" "$root/dist/oidc_proxy_wasm.wasm" || cp "$built" "$root/dist/oidc_proxy_wasm.wasm"
say "dist/oidc_proxy_wasm.wasm, $(($(wc -c < "$root/dist/oidc_proxy_wasm.wasm") / 1024)) KiB"
