#!/usr/bin/env bash
# make run: identity provider, demo service and Envoy with the filter, on 127.0.0.1, until Ctrl-C.
#   PORT  where to open it in the browser, default 10000        IDP  oidc-provider (default) or keycloak
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

PORT="${PORT:-10000}"
IDP="${IDP:-oidc-provider}"
parts=() # pids, in the order of their start
names=() # and what they are

main() {
    case "$PORT" in '' | *[!0-9]* | ??????*) fail "PORT=$PORT is not a port: a number from 1 to 65535" ;; esac
    [ "$PORT" -ge 1 ] && [ "$PORT" -le 65535 ] || fail "PORT=$PORT is not a port: a number from 1 to 65535"
    need_linux
    need_node
    need curl curl
    ! node tools/free-ports.mjs --taken "$PORT" || fail "port $PORT is taken: choose another, as in make run PORT=$((PORT % 65535 + 1))"
    [ -f dist/oidc_proxy_wasm.wasm ] || fail "dist/oidc_proxy_wasm.wasm is not there: make wasm"
    envoy="$(tools/envoy.sh)"
    tools/providers.sh "$IDP" > /dev/null

    mkdir -p "$tools_dir/run"
    # What a killed run has left behind.
    find "$tools_dir/run" -mindepth 1 -maxdepth 1 -mmin +1440 -exec rm -rf {} +
    work="$(mktemp -d "$tools_dir/run/XXXXXX")"
    trap end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    mkfifo "$work/leash"
    exec 9<> "$work/leash" # while this is open, the parts run

    mapfile -t free < <(node tools/free-ports.mjs 4)
    provider_port="${free[0]}" management_port="${free[1]}" demo_port="${free[2]}" admin_port="${free[3]}"
    start_provider
    start demo-service env PORT="$demo_port" LOGOUT=/oauth/logout node tools/demo-service.mjs
    await demo-service "http://127.0.0.1:$demo_port/" 120
    await "$IDP" "$issuer/.well-known/openid-configuration" 300
    start_envoy
    await envoy "http://127.0.0.1:$admin_port/ready" 120
    await_gate
    tell
    watch
}

start_provider() {
    local here="http://localhost:$PORT/oauth"
    # Keycloak takes the same list for both ways back.
    local redirect_uris="[\"$here/callback\"]" goodbyes="[\"$here/goodbye\"]" both="[\"$here/callback\", \"$here/goodbye\"]"
    case "$IDP" in
        oidc-provider)
            issuer="http://127.0.0.1:$provider_port"
            say "starting oidc-provider"
            start "$IDP" env PORT="$provider_port" REDIRECT_URIS="$redirect_uris" POST_LOGOUT_REDIRECT_URIS="$goodbyes" \
                node tools/idp/oidc-provider.mjs
            ;;
        keycloak)
            issuer="http://127.0.0.1:$provider_port/realms/demo"
            say "starting Keycloak (about 20 s)"
            start "$IDP" env PORT="$provider_port" MANAGEMENT_PORT="$management_port" REDIRECT_URIS="$both" \
                WORK="$work" tools/idp/keycloak.sh
            ;;
    esac
}

start_envoy() {
    say "starting Envoy"
    sed -e "s|\${PORT}|$PORT|g" -e "s|\${ADMIN_PORT}|$admin_port|g" -e "s|\${DEMO_PORT}|$demo_port|g" \
        -e "s|\${PROVIDER_PORT}|$provider_port|g" -e "s|\${ISSUER}|$issuer|g" envoy-config/demo.yaml > "$work/envoy.yaml"
    # A session key for this run only: whoever logged in before logs in again.
    local session_key
    session_key="$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
    start envoy env SESSION_KEY="$session_key" CLIENT_SECRET=a-secret-for-the-demo-and-nothing-else \
        "$envoy" --config-path "$work/envoy.yaml" --concurrency 2 --disable-hot-restart \
        --log-level warning --component-log-level wasm:info
}

# start NAME COMMAND...: in the background, its output in a log of its own.
start() {
    local name="$1"
    shift
    # The leash has a session of its own too: what kills this script and all of its group does not kill the leash.
    setsid tools/leash.sh "$@" < "$work/leash" > "$work/$name.log" 2>&1 9>&- &
    parts+=("$!")
    names+=("$name")
}

# await NAME URL SECONDS: until it answers with success; a part that dies meanwhile is told of.
await() {
    local deadline=$((SECONDS + $3))
    until curl --silent --fail --max-time 5 --output /dev/null "$2"; do
        check_alive
        [ "$SECONDS" -lt "$deadline" ] || died "$1" "does not answer after $3 s"
        sleep 0.2
    done
}

# The gate itself: any answer will do, a refusal too.
await_gate() {
    local deadline=$((SECONDS + 60))
    until curl --silent --max-time 5 --output /dev/null "http://localhost:$PORT/"; do
        check_alive
        [ "$SECONDS" -lt "$deadline" ] || died envoy "does not answer at http://localhost:$PORT after 60 s"
        sleep 0.2
    done
}

check_alive() {
    local at
    for at in "${!parts[@]}"; do
        kill -0 "${parts[$at]}" 2> /dev/null || died "${names[$at]}" "has ended"
    done
}

died() {
    printf '\nThe end of its log:\n' >&2
    tail -n 15 "$work/$1.log" >&2
    fail "$1 $2"
}

tell() {
    cat << TEXT

  Open      http://localhost:$PORT   and log in as demo with the password demo ($IDP)
  As an API curl -i -H 'Accept: application/json' http://localhost:$PORT/
            (no session: an answer for programs instead of a login page)
  Without   curl -H 'Accept: application/json' http://localhost:$PORT/public
            (a path that needs no login)
  Logout    http://localhost:$PORT/oauth/logout   (the page has a link), at the provider too
  Who am I  http://localhost:$PORT/oauth/session  (JSON for a web page: who, and until when)
  Logs      ${work#"$root/"}/*.log   Envoy's own pages: http://127.0.0.1:$admin_port
  Stop      Ctrl-C

ready http://localhost:$PORT
TEXT
}

watch() {
    # Returns as soon as a part ends, and at once for a signal.
    wait -n "${parts[@]}" || true
    check_alive
}

end() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP
    exec 9>&-
    [ ${#parts[@]} = 0 ] || {
        kill -TERM "${parts[@]}" 2> /dev/null || true
        wait "${parts[@]}" 2> /dev/null || true
    }
    rm -rf "$work"
    exit "$status"
}

main
