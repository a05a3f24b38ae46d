# shellcheck shell=bash
# What the scripts of this folder share: how they speak, how they fail, how they find what they need.
# Sourced, not run; `root` is the repository, `tools_dir` the ignored folder that downloads go to.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
tools_dir="$root/.tools"
mkdir -p "$tools_dir"

# Progress goes to stderr, so that a script can answer on stdout.
say() { printf '• %s\n' "$*" >&2; }

# The one sentence that says why it does not go on.
fail() {
    printf '✗ %s\n' "$*" >&2
    exit 1
}

has() { command -v "$1" > /dev/null 2>&1; }

# Whether we may install what is missing: Debian or a child of it, and root.
may_apt() { has apt-get && [ -f /etc/debian_version ] && [ "$(id -u)" = 0 ]; }

# apt PACKAGE...: installs by name, quietly; the log is shown when it fails.
apt() {
    local log="$tools_dir/apt.log"
    say "installing $* (apt-get)"
    {
        DEBIAN_FRONTEND=noninteractive apt-get update &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
    } > "$log" 2>&1 || {
        tail -n 15 "$log" >&2
        fail "apt-get could not install $*; its log is .tools/apt.log"
    }
}

# need COMMAND PACKAGE...: has the command, or installs the packages that bring it, or says what is missing.
need() {
    local command="$1"
    shift
    has "$command" && return
    may_apt || fail "$command is missing: install $*, then try again"
    apt "$@"
    hash -r
    has "$command" || fail "$command is missing although $* is installed: is it on PATH?"
}

# need_node: node 20 or later with npm.
need_node() {
    need node nodejs
    need npm npm
    local major
    major="$(node -p 'process.versions.node.split(".")[0]')"
    [ "$major" -ge 20 ] || fail "node $major is too old: the identity provider and the demo service need 20 or later"
}

# What starts Envoy and ends it again is written for Linux.
need_linux() { [ "$(uname -s)" = Linux ] || fail "this needs Linux (a container or a virtual machine will do); make wasm works elsewhere"; }

# pinned FILE SHA256: refuses a file that is not the one we know.
pinned() {
    local found
    found="$(sha256sum "$1" | cut -d' ' -f1)"
    [ "$found" = "$2" ] || fail "$(basename "$1") has sha256 $found, expected $2: not using it"
}

# once LOCK COMMAND...: two scripts at a time do not install the same thing into one folder.
once() {
    local lock="$tools_dir/$1.lock"
    shift
    (
        flock 9
        "$@"
    ) 9> "$lock"
}
