use super::*;

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 1).unwrap()
}

/// Writes all of a block and says where it is.
fn fill(block: *mut u8, size: usize, byte: u8) -> usize {
    unsafe { block.write_bytes(byte, size) };
    block as usize
}

fn holds(block: *mut u8, size: usize, byte: u8) -> bool {
    unsafe { std::slice::from_raw_parts(block, size) }.iter().all(|found| *found == byte)
}

#[test]
fn a_block_that_was_given_back_is_the_next_of_its_size() {
    let memory = Memory::new();
    unsafe {
        let first = memory.alloc(layout(40));
        memory.dealloc(first, layout(40));
        let other_size = memory.alloc(layout(49));
        assert_ne!(other_size, first);
        let again = memory.alloc(layout(33));
        assert_eq!(again, first);
        memory.dealloc(other_size, layout(49));
        memory.dealloc(again, layout(33));
    }
}

#[test]
fn few_of_a_size_are_kept() {
    let memory = Memory::new();
    let blocks: Vec<*mut u8> = (0..3 * MOST).map(|_| unsafe { memory.alloc(layout(64)) }).collect();
    for block in &blocks {
        unsafe { memory.dealloc(*block, layout(64)) };
    }
    assert_eq!(memory.shelves[4].count.get(), MOST);
    let first = memory.shelves[4].first.get();
    let kept = std::iter::successors(Some(first), |kept| (!kept.is_null()).then(|| unsafe { (**kept).next }));
    assert_eq!(kept.take_while(|kept| !kept.is_null()).count(), MOST as usize);
}

#[test]
fn large_blocks_and_odd_alignments_are_the_system_s() {
    let memory = Memory::new();
    for layout in [layout(LARGEST + 1), Layout::from_size_align(64, 64).unwrap()] {
        unsafe {
            let block = memory.alloc(layout);
            assert_eq!(block as usize % layout.align(), 0);
            memory.dealloc(block, layout);
        }
    }
    assert!(memory.shelves.iter().all(|shelf| shelf.first.get().is_null()));
}

/// Blocks of all sizes, some thousands of them taken, grown, shrunk and given back in no order: none overlaps another, and
/// each keeps what was written to it.
#[test]
fn no_block_is_anybody_else_s() {
    let memory = Memory::new();
    let mut random = 1_u32;
    let mut next = |below: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % below
    };
    let mut live: Vec<(*mut u8, usize, u8)> = Vec::new();
    for turn in 0..20_000_u32 {
        let byte = turn as u8;
        match next(3) {
            0 => {
                let size = 1 + next(LARGEST + 100);
                let block = unsafe { memory.alloc(layout(size)) };
                assert_eq!(block as usize % ALIGN, 0);
                let start = fill(block, size, byte);
                let overlaps = |(other, length, _): &(*mut u8, usize, u8)| {
                    start < *other as usize + length && (*other as usize) < start + size
                };
                assert!(!live.iter().any(overlaps));
                live.push((block, size, byte));
            }
            1 if !live.is_empty() => {
                let (block, size, byte) = live.swap_remove(next(live.len()));
                assert!(holds(block, size, byte));
                unsafe { memory.dealloc(block, layout(size)) };
            }
            2 if !live.is_empty() => {
                let at = next(live.len());
                let (block, size, byte) = live[at];
                let wanted = 1 + next(LARGEST + 100);
                let moved = unsafe { memory.realloc(block, layout(size), wanted) };
                assert!(holds(moved, size.min(wanted), byte));
                fill(moved, wanted, byte);
                live[at] = (moved, wanted, byte);
            }
            _ => {}
        }
    }
    for (block, size, byte) in live {
        assert!(holds(block, size, byte));
        unsafe { memory.dealloc(block, layout(size)) };
    }
}
