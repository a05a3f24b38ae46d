# awk -f wat.awk -f branch-hints.awk LIST NAMES FLAT.wat: the module with hints which way its branches go, where LIST knows.
FILENAME == ARGV[1] {
    if ($0 !~ /^#/ && NF == 2) ways[$1] = $2
    next
}

FILENAME == ARGV[2] {
    name[FNR] = $0
    next
}

# First the branches of each function are counted: a list that was made of another text says nothing of this one.
/^  \(func / { functions++ }
is_branch($1) { branches[functions]++ }
{ line[FNR] = $0; last = FNR }

END {
    for (known in ways) listed++
    for (n = 1; n <= last; n++) {
        if (line[n] ~ /^  \(func /) {
            at++
            branch = 0
            ours = name[at] in ways && length(ways[name[at]]) == branches[at] ? ways[name[at]] : ""
            if (ours != "") hinted++
        } else if (ours != "") {
            split(line[n], words, " ")
            if (is_branch(words[1])) {
                way = substr(ours, ++branch, 1)
                if (way ~ /[01]/) printf "    (@metadata.code.branch_hint \"\\0%s\")\n", way
            }
        }
        print line[n]
    }
    if (hinted < listed / 2) print "• of " listed " functions with hints in tools/hot-functions.txt " hinted + 0 " have as many branches: write it anew by tools/hot-functions.sh" > "/dev/stderr"
}
