# awk -v sites=FILE -f wat.awk -f hot-trace.awk NAMES FLAT.wat: the module in which every function and every branch logs `hot NUMBER
# WAY` each 1,024th time that it goes that way: 1 for a function that is called and for a branch whose condition holds, else 0.
# NUMBER, of five digits, is its place among all of them, from 0. In this order FILE gets a line for each: the function, and for a
# branch its number in it.
FNR == NR {
    name[FNR] = $0
    next
}

function count(text) {
    print text > sites
    return number++
}

/^  \(import "env" "proxy_log"/ {
    match($0, /\(func \(;[0-9]+/)
    log_call = substr($0, RSTART + 8, RLENGTH - 8)
}

# Locals are declared before anything happens.
begins && $0 !~ /^    \(local / {
    if (name[functions] == "proxy_on_request_headers") print "    call $hot_begins"
    printf "    i32.const 1\n    i32.const %d\n    call $hot\n    drop\n", count(name[functions])
    begins = 0
}

/^  \(func / {
    functions++
    branches = 0
    begins = $0 !~ /\)\)$/ # else it does nothing
}

is_branch($1) {
    printf "    i32.const %d\n    call $hot\n", count(name[functions] " " branches++)
}

# Behind all that have numbers, which count on.
/^  \(export / && !exports++ { print "  (global $hot_counts (mut i32) (i32.const 0))" }
/^  \(table / {
    # Pages of their own, which nobody else asks for again. Before the first request, the allocator takes all that there are.
    print "  (func $hot_begins"
    print "    (if (i32.eqz (global.get $hot_counts))"
    print "      (then (global.set $hot_counts (i32.mul (memory.grow (i32.const 16)) (i32.const 65536))))))"
    print "  (func $hot (param $way i32) (param $number i32) (result i32) (local $at i32) (local $times i32)"
    print "    (if (i32.eqz (global.get $hot_counts)) (then (return (local.get $way))))"
    print "    (local.set $at (i32.add (global.get $hot_counts)"
    print "      (i32.add (i32.shl (local.get $number) (i32.const 3)) (i32.shl (i32.ne (local.get $way) (i32.const 0)) (i32.const 2)))))"
    print "    (local.set $times (i32.add (i32.load (local.get $at)) (i32.const 1)))"
    print "    (i32.store (local.get $at) (local.get $times))"
    print "    (if (i32.eqz (i32.and (local.get $times) (i32.const 1023))) (then"
    # The line is written at the end of these pages.
    print "      (local.set $at (i32.add (global.get $hot_counts) (i32.const 1048560)))"
    print "      (i32.store (local.get $at) (i32.const 0x20746f68))" # "hot "
    for (digit = 0; digit < 5; digit++) {
        printf "      (i32.store8 offset=%d (local.get $at) (i32.add (i32.const 48) (i32.rem_u " \
            "(i32.div_u (local.get $number) (i32.const %d)) (i32.const 10))))\n", 4 + digit, 10 ^ (4 - digit)
    }
    print "      (i32.store8 offset=9 (local.get $at) (i32.const 32))"
    print "      (i32.store8 offset=10 (local.get $at) (i32.add (i32.const 48) (i32.ne (local.get $way) (i32.const 0))))"
    printf "      (drop (call %s (i32.const 3) (local.get $at) (i32.const 11)))))\n", log_call
    print "    (local.get $way))"
}
{ print }
