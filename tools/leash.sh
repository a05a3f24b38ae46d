#!/usr/bin/env bash
# leash.sh COMMAND...: runs it, and ends it with all that it started as soon as stdin closes.
#
# Whoever starts a part holds the other end of stdin. When he goes away, however that happens, so does the part.
set -uo pipefail

exec 3<&0
# A session of its own: one signal reaches the command and its children, and Ctrl-C in a terminal does not.
setsid "$@" < /dev/null 3<&- &
child=$!

end() {
    trap - EXIT
    kill -TERM -- "-$child" 2> /dev/null || kill -TERM "$child" 2> /dev/null
    for _ in $(seq 50); do
        kill -0 -- "-$child" 2> /dev/null || break
        sleep 0.1
    done
    kill -KILL -- "-$child" 2> /dev/null
    kill "$watcher" 2> /dev/null
    wait "$child" 2> /dev/null
}
trap end EXIT
trap 'exit 143' TERM INT HUP

cat <&3 > /dev/null &
watcher=$!
# The first of the two to end: the command by itself, or the watcher because stdin has closed.
wait -n "$child" "$watcher"
status=$?
exit "$status"
