# shellcheck shell=bash
# Chooses the compiler for wasm32-wasip1; sourced. After `choose_toolchain`, `wasm_cargo ARGS...` runs cargo with it.
#
# 1. The active Rust toolchain, where it has the target.
# 2. On Debian as root, the distribution's own rustc, with a standard library built once into .tools/wasm-sysroot-*.
#    (rustup may be told not to install anything, and then ignores `targets` in rust-toolchain.toml without a word;
#    that is its owner's choice and is left alone.)
# 3. Otherwise a sentence.

readonly wasm_target=wasm32-wasip1
readonly oldest_rust=1.95
wasm_env=()
# What the target has anyway.
readonly wasm_features=(--enable-bulk-memory --enable-sign-ext --enable-nontrapping-float-to-int --enable-mutable-globals
    --enable-multivalue --enable-reference-types)
# The functions that requests run, written by `tools/hot-functions.sh`.
readonly hot_functions="$root/tools/hot-functions.txt"
# SHA-2 in rolled loops takes a quarter of the space, and what hashes much, the host does.
readonly wasm_cfg='sha2_backend_soft="compact"'
# With `opt-level = "z"` alone, every step of an iterator is a call. Functions up to 40 are no larger where they are inlined; a
# few more cost a thirtieth of the module, and save a request as much of its way.
readonly wasm_inline="-Cllvm-args=-inline-threshold=55"
# A panic is a trap and nothing else: what it would say of itself, and the machinery for that, is a twentieth of the module.
# Envoy closes the VM and logs where it was, as it does anyway. It takes a standard library built this way.
readonly wasm_trap=("-Zunstable-options" "-Cpanic=immediate-abort")

# The native compiler, which the tests need too.
need_rust() {
    has cargo || fail "cargo is missing: install Rust $oldest_rust or later (rustup toolchain install 1.95.0)"
    local version
    version="$(cd "$root" && cargo --version 2>&1 | awk '/^cargo /{print $2}')" || true
    [ -n "$version" ] || fail "the Rust toolchain that rust-toolchain.toml names is not installed: rustup toolchain install 1.95.0"
    [ "$(printf '%s\n' "$oldest_rust" "$version" | sort -V | head -n1)" = "$oldest_rust" ] ||
        fail "cargo is $version, this needs Rust $oldest_rust or later: rustup toolchain install 1.95.0"
    case "$version" in
        "$oldest_rust".*) ;;
        *) say "cargo is $version; rust-toolchain.toml names 1.95.0, which rustup would choose by itself" ;;
    esac
    need cc gcc libc6-dev
}

choose_toolchain() {
    need_rust
    if active_has_target; then
        wasm_env=(CARGO_TARGET_DIR="$root/target" CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS="--cfg $wasm_cfg $wasm_inline")
        return
    fi
    may_apt || fail "the Rust toolchain has no target $wasm_target: rustup target add $wasm_target"
    debian_toolchain
}

active_has_target() {
    local libdir
    libdir="$(cd "$root" && rustc --print target-libdir --target "$wasm_target" 2> /dev/null)" || return 1
    compgen -G "$libdir/libstd-*.rlib" > /dev/null
}

debian_toolchain() {
    local package missing=()
    for package in rustc-web rust-web-src cargo-web rust-web-clippy wasi-libc lld-19; do
        dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] || once apt apt "${missing[@]}"
    local version sysroot
    version="$(/usr/bin/rustc --version | awk '{print $2}')"
    sysroot="$tools_dir/wasm-sysroot-$version-trap"
    [ -e "$sysroot/complete" ] || once sysroot build_sysroot "$sysroot"
    local flags=("--sysroot" "$sysroot" "-Clink-self-contained=no" "-L/usr/lib/wasm32-wasi" "--cfg" "$wasm_cfg" "$wasm_inline")
    flags+=("${wasm_trap[@]}")
    wasm_env=(
        RUSTC=/usr/bin/rustc
        RUSTC_BOOTSTRAP=1
        CARGO_TARGET_WASM32_WASIP1_LINKER=wasm-ld-19
        CARGO_ENCODED_RUSTFLAGS="$(IFS=$'\x1f' && printf '%s' "${flags[*]}")"
        # A folder of its own: the tests use another compiler, and neither should throw the other's work away.
        CARGO_TARGET_DIR="$root/target/wasm"
    )
}

# Builds the standard library for the target once. Without this, every build with other flags would build it again.
build_sysroot() {
    local sysroot="$1" work="$tools_dir/wasm-sysroot-build" libdir
    [ ! -e "$sysroot/complete" ] || return 0
    say "building the standard library for $wasm_target once (about a minute)"
    rm -rf "$work" "$sysroot"
    mkdir -p "$work/src"
    cat > "$work/Cargo.toml" << 'TOML'
[package]
name = "sysroot"
version = "0.0.0"
edition = "2024"
[workspace]
[profile.release]
opt-level = "s"
TOML
    printf '//! Nothing: it is built for the sake of its standard library.\n' > "$work/src/lib.rs"
    # Bitcode inside the libraries is what link-time optimisation works on.
    (
        cd "$work"
        RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
            CARGO_ENCODED_RUSTFLAGS="$(IFS=$'\x1f' && printf '%s' "-Cembed-bitcode=yes"$'\x1f'"${wasm_trap[*]}")" CARGO_TARGET_DIR="$work/target" \
            cargo build --release --target "$wasm_target" -Zbuild-std=std,panic_abort \
            -Zbuild-std-features=optimize_for_size > build.log 2>&1
    ) || {
        tail -n 15 "$work/build.log" >&2
        fail "the standard library for $wasm_target did not build; the log is .tools/wasm-sysroot-build/build.log"
    }
    libdir="$sysroot/lib/rustlib/$wasm_target/lib"
    mkdir -p "$libdir"
    cp "$work/target/$wasm_target/release/deps/"*.rlib "$libdir/"
    rm -f "$libdir"/libsysroot-*.rlib
    rm -rf "$work"
    touch "$sysroot/complete"
}

wasm_cargo() { (cd "$root" && env "${wasm_env[@]}" cargo "$@"); }

# wasm_module PACKAGE: builds the module of a package of the workspace and puts it into dist/. `module_text` is then the file
# with its text, flat; the names of its functions are beside it.
wasm_module() {
    local setting target_dir built module="$root/dist/${1//-/_}.wasm" list=/dev/null
    [ "$1" != oidc_proxy_wasm ] || list="$hot_functions"
    wasm_cargo rustc --release --lib --crate-type cdylib --target "$wasm_target" --locked --package "$1"
    for setting in "${wasm_env[@]}"; do
        case "$setting" in CARGO_TARGET_DIR=*) target_dir="${setting#*=}" ;; esac
    done
    built="$target_dir/$wasm_target/release/$(basename "$module")"
    module_text="$built.wat"
    if [ ! "$built.small" -nt "$built" ] || [ ! "$built.small" -nt "$hot_functions" ]; then
        need wasm-opt binaryen
        need wat2wasm wabt
        # A module's size is what each worker's start and memory cost; long functions stay where they are, since what is rare
        # would come to lie between what is not (`-ocimfs`). Below address 1024 there is but the end of a full stack, of which
        # an overflow is a trap (`-lmu`).
        wasm-opt -g -lmu --merge-similar-functions -Oz -ocimfs 60 "${wasm_features[@]}" "$built" -o "$built.part"
        wasm-dis "${wasm_features[@]}" "$built.part" -o "$module_text.any"
        # The host's machine code lies in the order of the functions: a request that runs two hundred of them should not have
        # to fetch them from all over two megabytes.
        awk -v names="$module_text.names" -f "$root/tools/wat.awk" -f "$root/tools/hot-first.awk" "$list" "$module_text.any" \
            > "$module_text.first"
        wasm-as "${wasm_features[@]}" "$module_text.first" -o "$built.part"
        # What is never run but lies between what is costs the same; the host's compiler puts it behind, where it is told that a
        # branch hardly goes there (WebAssembly's branch hinting, a section that others pass over).
        wasm2wat "$built.part" -o "$module_text"
        awk -f "$root/tools/wat.awk" -f "$root/tools/branch-hints.awk" "$list" "$module_text.names" "$module_text" > "$module_text.hinted"
        wat2wasm --enable-annotations --enable-code-metadata "$module_text.hinted" -o "$built.part"
        rm -f "$module_text".{any,first,hinted}
        mv "$built.part" "$built.small"
    fi
    built="$built.small"
    mkdir -p "$root/dist"
    # Only a changed module gets a new date, so that what depends on it is not done again for nothing.
    cmp -s "$built" "$module" || cp "$built" "$module"
    say "dist/$(basename "$module"), $(($(wc -c < "$module") / 1024)) KiB"
}

# Lints what only the wasm build compiles, with the clippy that belongs to the chosen compiler: wasm_clippy LINT-FLAGS...
wasm_clippy() {
    local clippy=(cargo clippy)
    case " ${wasm_env[*]} " in *" RUSTC=/usr/bin/rustc "*) clippy=(/usr/bin/cargo-clippy clippy) ;; esac
    (cd "$root" && env "${wasm_env[@]}" "${clippy[@]}" --quiet --locked --package oidc_proxy_wasm --lib \
        --target "$wasm_target" -- "$@")
}
