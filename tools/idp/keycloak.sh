#!/usr/bin/env bash
# Starts Keycloak with the realm `demo` on 127.0.0.1, in memory, in the foreground.
#   PORT            where it listens
#   REDIRECT_URIS   JSON list, default: as in keycloak-realm.json
#   MANAGEMENT_PORT   where its health is asked for
#   WORK            a folder of its own for this start; whoever gives it removes it
#   TLS, TLS_PORT   a folder with server.pem, server.key and ca.pem: it also listens there by TLS, and asks for the client's
#                   certificate. What it calls itself stays http on PORT.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/../lib.sh"

keycloak="$("$root/tools/providers.sh" keycloak)"
home="$WORK/keycloak"
mkdir -p "$WORK"
# Hard links: Keycloak reads realms from inside its own folder, and two starts should not meet there.
cp -al "$keycloak" "$home" 2> /dev/null || { rm -rf "$home" && cp -a "$keycloak" "$home"; }
mkdir -p "$home/data/import"
REDIRECT_URIS="${REDIRECT_URIS:-}" node -e '
const realm = JSON.parse(require("node:fs").readFileSync(process.argv[1]));
const given = process.env.REDIRECT_URIS;
if (given) realm.clients[0].redirectUris = JSON.parse(given);
process.stdout.write(JSON.stringify(realm));
' "$root/tools/idp/keycloak-realm.json" > "$home/data/import/demo-realm.json"

# The admin account is for tests that change the realm; it lives as long as this process.
export KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin
export JAVA_OPTS_KC_HEAP="-Xms64m -Xmx384m"
export JAVA_OPTS_APPEND="-XX:TieredStopAtLevel=1"
tls=()
if [ -n "${TLS:-}" ]; then
    tls=(
        --https-port="$TLS_PORT" --https-certificate-file="$TLS/server.pem" --https-certificate-key-file="$TLS/server.key"
        --truststore-paths="$TLS/ca.pem" --hostname="http://127.0.0.1:$PORT" --http-management-scheme=http
    )
fi
exec "$home/bin/kc.sh" start --optimized "${tls[@]}" --import-realm \
    --http-enabled=true --http-host=127.0.0.1 --http-port="$PORT" \
    --http-management-host=127.0.0.1 --http-management-port="$MANAGEMENT_PORT" \
    --hostname-strict=false --cache=local
