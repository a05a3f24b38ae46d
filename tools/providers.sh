#!/usr/bin/env bash
# Fetches an identity provider to try things with: `providers.sh oidc-provider` or `providers.sh keycloak`.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

# The newest that runs on Java 17. To move on, change both lines; the script says the checksum that it found.
readonly keycloak_version=26.7.3
readonly keycloak_sha256=27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f
readonly keycloak="$tools_dir/keycloak-$keycloak_version"

oidc_provider() {
    need_node
    local folder="$root/tools/idp"
    cmp -s "$folder/package-lock.json" "$folder/node_modules/.lock-of-this" && return
    say "fetching oidc-provider (npm, a few seconds)"
    (cd "$folder" && npm ci --no-progress > "$tools_dir/npm.log" 2>&1) || {
        tail -n 5 "$tools_dir/npm.log" >&2
        fail "npm could not install oidc-provider; its log is .tools/npm.log"
    }
    cp "$folder/package-lock.json" "$folder/node_modules/.lock-of-this"
}

keycloak() {
    need java openjdk-17-jre-headless
    local java
    java="$(java -version 2>&1 | sed -nE 's/.*version "([0-9]+).*/\1/p' | head -n1)"
    [ "${java:-0}" -ge 17 ] || fail "java is version ${java:-unknown}, Keycloak needs 17 or later"
    [ ! -e "$keycloak/prepared" ] || return 0
    need mvn maven
    need unzip unzip
    say "fetching Keycloak $keycloak_version (170 MB, Maven Central)"
    mkdir -p "$tools_dir/download"
    mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
        "-Dartifact=org.keycloak:keycloak-quarkus-dist:$keycloak_version:zip" \
        "-DoutputDirectory=$tools_dir/download" > "$tools_dir/mvn.log" 2>&1 || {
        tail -n 5 "$tools_dir/mvn.log" >&2
        fail "Maven could not fetch Keycloak; its log is .tools/mvn.log"
    }
    local zip="$tools_dir/download/keycloak-quarkus-dist-$keycloak_version.zip"
    pinned "$zip" "$keycloak_sha256"
    rm -rf "$keycloak"
    unzip -q "$zip" -d "$tools_dir"
    rm -rf "$tools_dir/download"
    say "preparing Keycloak once (20 s)"
    # Done here, so that each start takes half as long and writes nothing into the shared folder. Where it listens by TLS, it
    # asks for the client's certificate.
    "$keycloak/bin/kc.sh" build --db=dev-mem --health-enabled=true --https-client-auth=request > "$tools_dir/keycloak-build.log" 2>&1 || {
        tail -n 5 "$tools_dir/keycloak-build.log" >&2
        fail "Keycloak could not be prepared; its log is .tools/keycloak-build.log"
    }
    touch "$keycloak/prepared"
}

case "${1:-}" in
    oidc-provider) once oidc-provider oidc_provider ;;
    keycloak)
        once keycloak keycloak
        printf '%s\n' "$keycloak"
        ;;
    *) fail "IDP=${1:-} is not a provider that comes along: oidc-provider or keycloak" ;;
esac
