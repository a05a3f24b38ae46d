#!/usr/bin/env bash
# Writes tools/hot-functions.txt: the functions that the loads of the bench run, which `make wasm` puts first in the module, and
# which way their branches go, which it tells the host's compiler. To be run after a change that moves much of the hot path; a list
# that is out of date costs speed and nothing else.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/toolchain.sh
. "$(dirname "$0")/toolchain.sh"
cd "$root"

need_linux
choose_toolchain
wasm_module noop-filter
wasm_module oidc_proxy_wasm
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

say "building the module that tells what runs"
awk -v sites="$work/sites" -f tools/wat.awk -f tools/hot-trace.awk "$module_text.names" "$module_text" > "$work/traced.wat"
wat2wasm "$work/traced.wat" -o "$work/traced.wasm"

say "running the loads of the bench with it"
ENVOY="$(tools/envoy.sh)" MODULE="$work/traced.wasm" \
    cargo run --quiet --locked --package integration-tests --bin bench hot > "$work/ways"
{
    echo "# Functions that requests run, most common loads first, and the ways of their branches; written by tools/hot-functions.sh."
    awk -f tools/hot-ways.awk "$work/sites" "$work/ways"
} > "$work/list"
cp "$work/list" "$hot_functions"
say "$(($(wc -l < "$hot_functions") - 1)) functions in tools/hot-functions.txt"
