# awk -f hot-ways.awk SITES WAYS: of what ran, most common first, the list of functions, each with a character for each of its
# branches: which way it goes (0, 1), or `-` for both, or not often. SITES is written by hot-trace.awk, and WAYS by `bench hot`.
FNR == NR {
    name[FNR - 1] = $1
    if (NF == 1) known[$1]++
    else {
        branch[FNR - 1] = $2 + 0
        branches[$1]++
    }
    next
}

{
    site = $1 + 0
    if (!(site in branch)) {
        if (!seen[name[site]]++) order[++functions] = name[site]
    } else went[name[site], branch[site]] = went[name[site], branch[site]] $2
}

END {
    for (f = 1; f <= functions; f++) {
        ways = ""
        # Of two functions of one name nobody knows which it was.
        for (b = 0; known[order[f]] == 1 && b < branches[order[f]]; b++) {
            way = went[order[f], b]
            ways = ways (length(way) == 1 ? way : "-")
        }
        print ways ~ /[01]/ ? order[f] " " ways : order[f]
    }
}
