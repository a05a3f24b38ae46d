#!/usr/bin/env bash
# make check: format, lints, floors and docs. Nothing here starts a server.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/toolchain.sh
. "$(dirname "$0")/toolchain.sh"
cd "$root"

# What would be a panic, or a borrow held over an await, in a filter whose panic closes a worker.
# Tests may: one that panics has done its work.
readonly denied=(
    -D warnings
    -D clippy::await_holding_refcell_ref
    -D clippy::unwrap_used
    -D clippy::expect_used
    -D clippy::indexing_slicing
    -D clippy::arithmetic_side_effects
    -D clippy::panic
)

need_rust
for component in fmt clippy; do
    cargo "$component" --version > /dev/null 2>&1 || fail "cargo $component is missing: rustup component add ${component/fmt/rustfmt}"
done

say "format"
cargo fmt --all --check
say "lints of the filter, built natively"
cargo clippy --quiet --locked --package oidc_proxy_wasm --lib -- "${denied[@]}"
say "lints of the filter, built for wasm"
choose_toolchain
wasm_clippy "${denied[@]}"
say "lints of all tests and tools"
cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
if [ -f tests/floors.rs ]; then
    say "floors"
    cargo test --quiet --locked --package oidc_proxy_wasm --test floors
fi
say "docs"
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --workspace --no-deps --document-private-items
