#!/usr/bin/env bash
# What the decision on one request costs in instructions, natively, under callgrind: beside benches/instructions.json, so
# that a change that costs shows itself. Instructions are counted, not timed: a busy machine changes nothing, another kind of
# processor little.
#   UPDATE=1  writes benches/instructions.json      STRICT=1  fails where a case costs more than 5 % more
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/toolchain.sh
. "$(dirname "$0")/toolchain.sh"
cd "$root"

readonly file=benches/instructions.json
readonly few=200 many=1200 # requests; the difference is free of what only the start costs
readonly tolerated=5       # percent

need_rust
need valgrind valgrind
say "building the hot path"
bench="$(cargo build --quiet --locked --profile bench --bench hot_path --message-format=json |
    grep -o '"executable":"[^"]*/hot_path-[^"]*"' | cut -d'"' -f4)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# instructions CASE COUNT: of a whole run.
instructions() {
    valgrind --quiet --tool=callgrind --callgrind-out-file="$work/out" "$bench" "$1" "$2" 2> "$work/log" || {
        tail -n 5 "$work/log" >&2
        fail "hot_path $1 $2 did not end well under callgrind"
    }
    awk '/^(summary|totals):/ { found = $2 } END { print found }' "$work/out"
}

# known CASE: what is written down; nothing where the case is new.
known() { [ ! -f "$file" ] || sed -n "s/^ *\"$1\": \([0-9]*\),\{0,1\}\$/\1/p" "$file"; }

rustc="$(rustc --version | awk '{print $2}')"
written=''
[ ! -f "$file" ] || written="$(sed -n 's/^ *"rustc": "\(.*\)",$/\1/p' "$file")"
[ -z "$written" ] || [ "$written" = "$rustc" ] ||
    say "$file was taken with rustc $written, this is $rustc: differences may be the compiler's"

cases="$("$bench")"
grown=''
entries=''
printf '\ninstructions of one request, natively\n%-16s%12s%12s%10s\n' case now written change
for case in $cases; do
    now=$((($(instructions "$case" "$many") - $(instructions "$case" "$few")) / (many - few)))
    before="$(known "$case")"
    change=''
    if [ -n "$before" ]; then
        change="$(awk -v now="$now" -v before="$before" 'BEGIN { printf "%+.1f %%", (now / before - 1) * 100 }')"
        [ $((now * 100)) -le $((before * (100 + tolerated))) ] || grown="$grown $case ($change)"
    fi
    printf '%-16s%12d%12s%10s\n' "$case" "$now" "${before:--}" "$change"
    entries="$entries${entries:+,$'\n'}        \"$case\": $now"
done
printf '\n'

if [ "${UPDATE:-}" = 1 ]; then
    printf '{\n    "rustc": "%s",\n    "instructions": {\n%s\n    }\n}\n' "$rustc" "$entries" > "$file"
    say "written to $file"
elif [ -n "$grown" ]; then
    printf '! a request costs more than %d %% more instructions than %s says:%s; UPDATE=1 tools/instructions.sh writes it anew\n' \
        "$tolerated" "$file" "$grown"
    [ "${STRICT:-}" != 1 ] || exit 1
fi
