# awk -v names=FILE -f wat.awk -f hot-trace.awk MODULE.wat MODULE.wat: the module in which every function logs `hot NUMBER`
# each 1,024th time that it runs. NUMBER, of four digits, is its place in the module, from 0; in this order their names go to FILE.
FNR == NR {
    if ($0 ~ /^ \(func /) functions++
    next
}

/^ \(import "env" "proxy_log"/ {
    match($0, /\(func \$[^ ()]+/)
    log_name = substr($0, RSTART + 6, RLENGTH - 6)
}

# Locals are declared before anything happens.
begins && $0 !~ /^  \(local / {
    if ($0 != " )") printf "  (global.set $hot_%d (call $hot (global.get $hot_%d) (i32.const %d)))\n", number, number, number - 1
    begins = 0
}

/^ \(func / {
    # Globals are declared before whatever reads them.
    if (!number++) {
        for (at = 1; at <= functions; at++) printf " (global $hot_%d (mut i32) (i32.const 0))\n", at
    }
    print known_as($2) > names
    begins = 1
}

$0 == ")" {
    # Far below the top of the stack, where nothing lies that is used.
    print " (func $hot (param $times i32) (param $number i32) (result i32) (local $at i32)"
    print "  (block $done"
    print "   (br_if $done (i32.ne (i32.and (local.get $times) (i32.const 1023)) (i32.const 1023)))"
    print "   (local.set $at (i32.sub (global.get $__stack_pointer) (i32.const 4096)))"
    print "   (i32.store (local.get $at) (i32.const 0x20746f68))" # "hot "
    for (digit = 0; digit < 4; digit++) {
        printf "   (i32.store8 offset=%d (local.get $at) (i32.add (i32.const 48) (i32.rem_u " \
            "(i32.div_u (local.get $number) (i32.const %d)) (i32.const 10))))\n", 4 + digit, 10 ^ (3 - digit)
    }
    printf "   (drop (call %s (i32.const 3) (local.get $at) (i32.const 8)))\n", log_name
    print "  )"
    print "  (i32.add (local.get $times) (i32.const 1))"
    print " )"
}
{ print }
