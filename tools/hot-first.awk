# awk -v names=FILE -f wat.awk -f hot-first.awk LIST MODULE.wat: the module with the functions first that LIST names, in its order.
# FILE gets the names of all functions, in theirs.
FILENAME == ARGV[1] {
    if ($0 !~ /^#/) rank[$1] = ++ranks
    next
}

# A field of the module begins with one space; what is inside it has more.
/^ \(func / {
    name[++functions] = known_as($2)
    first[functions] = FNR
    place[functions] = name[functions] in rank ? rank[name[functions]] : 0
    inside = 1
}
{
    line[FNR] = $0
    if (inside) last[functions] = FNR
    else if ($0 == ")") end = FNR
    else print
    if (inside && ($0 == " )" || $0 ~ /^ \(func [^ ]*\)$/)) inside = 0
}

function print_function(at,    l) {
    print name[at] > names
    for (l = first[at]; l <= last[at]; l++) print line[l]
}

END {
    for (at = 1; at <= functions; at++) if (place[at]) of_rank[place[at]] = of_rank[place[at]] " " at
    for (r = 1; r <= ranks; r++) {
        if (r in of_rank) found++
        count = split(of_rank[r], these, " ")
        for (i = 1; i <= count; i++) print_function(these[i])
    }
    for (at = 1; at <= functions; at++) if (!place[at]) print_function(at)
    print line[end]
    if (found < ranks / 2) print "• of " ranks " functions in tools/hot-functions.txt " found + 0 " are there: write it anew by tools/hot-functions.sh" > "/dev/stderr"
}
