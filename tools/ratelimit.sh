#!/usr/bin/env bash
# Prints the path of Envoy's reference rate limit service, built once into .tools/, and sees to the Redis that it counts in.
# Without Go it says so in one sentence and prints nothing: only the tests that ask this service are skipped then.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

# It has no releases. To move on: go list -m github.com/envoyproxy/ratelimit@latest
readonly version=v1.4.1-0.20260122083618-3fb702589d36
readonly folder="$tools_dir/ratelimit-$version"

build() {
    [ ! -x "$folder/service_cmd" ] || return 0
    say "building Envoy's rate limit service (go install, half a minute)"
    GOBIN="$folder" go install "github.com/envoyproxy/ratelimit/src/service_cmd@$version" > "$tools_dir/ratelimit.log" 2>&1 || {
        tail -n 5 "$tools_dir/ratelimit.log" >&2
        fail "the rate limit service could not be built; the log is .tools/ratelimit.log"
    }
}

has go || {
    say "go is missing: the tests that ask Envoy's rate limit service are skipped"
    exit 0
}
need redis-server redis-server
once ratelimit build
printf '%s\n' "$folder/service_cmd"
