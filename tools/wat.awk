# What a function is known by, from the second field of its line in a module's text: its mangled name without what depends on
# the compiler, the crates' hashes.
function known_as(name) {
    gsub(/[$()]/, "", name)
    gsub(/Cs[0-9A-Za-z]+_/, "C", name)
    return name
}

# Whether the first word of a line in a module's flat text is a branch of two ways.
function is_branch(word) {
    return word == "if" || word == "br_if"
}
