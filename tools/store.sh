#!/usr/bin/env bash
# Sees to the programs of the store that tests start: Redis, and Webdis in front of it, both Debian's own. The tests start
# them on free ports of loopback, with a configuration of their own.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

need redis-server redis-server
need webdis webdis
