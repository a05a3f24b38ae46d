//! Memory for the small things that every request takes and gives back by the dozen.
//!
//! A block that is given back is kept for whoever next wants one of its size: a few instructions, where the allocator below
//! runs through hundreds, which are cold when a request comes. Few blocks of each size are kept, at most 264 KiB in all, so
//! that memory goes on serving all sizes.
//!
//! For programs with one thread, as a wasm VM is.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null_mut;

/// Sizes of kept blocks are multiples of this, in bytes.
const STEP: usize = 16;
/// The largest kept block, in bytes.
const LARGEST: usize = 512;
/// How many blocks of one size are kept at most.
const MOST: u32 = 32;
/// What every block is aligned to, in bytes.
const ALIGN: usize = 8;

/// An allocator over the system's.
pub struct Memory {
    /// By size in steps; nothing has none.
    shelves: [Shelf; LARGEST / STEP + 1],
}

/// The kept blocks of one size.
struct Shelf {
    first: Cell<*mut Kept>,
    count: Cell<u32>,
}

/// A block that nobody uses holds the place of the next one.
struct Kept {
    next: *mut Kept,
}

// SAFETY: one thread alone uses it, as the crate's text demands.
unsafe impl Sync for Memory {}

impl Memory {
    /// Keeps nothing yet.
    #[allow(clippy::new_without_default, reason = "a static is made of it, which a default cannot be")]
    pub const fn new() -> Self {
        Self { shelves: [const { Shelf { first: Cell::new(null_mut()), count: Cell::new(0) } }; LARGEST / STEP + 1] }
    }

    /// The shelf for such blocks, and what they are in truth; `None` for large ones and for odd alignments.
    #[inline(always)]
    fn shelf(&self, layout: Layout) -> Option<(&Shelf, Layout)> {
        if layout.align() > ALIGN {
            return None;
        }
        let steps = layout.size().div_ceil(STEP);
        let shelf = self.shelves.get(steps)?;
        // SAFETY: the alignment is a power of two, and the size at most `LARGEST`.
        Some((shelf, unsafe { Layout::from_size_align_unchecked(steps.saturating_mul(STEP), ALIGN) }))
    }
}

// One copy of each of these: where the hundreds of places that call them had their own, each would be a cold one.
//
// SAFETY: every block comes from `System` and goes back to it with the layout that it was asked for, which depends on the
// caller's layout alone; in between, one that is on a shelf is nobody's, and long enough for the place of the next.
unsafe impl GlobalAlloc for Memory {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((shelf, layout)) = self.shelf(layout) else { return unsafe { System.alloc(layout) } };
        let block = shelf.first.get();
        if block.is_null() {
            return unsafe { System.alloc(layout) };
        }
        shelf.first.set(unsafe { (*block).next });
        shelf.count.set(shelf.count.get().wrapping_sub(1));
        block.cast()
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some((shelf, layout)) = self.shelf(layout) else { return unsafe { System.dealloc(block, layout) } };
        let count = shelf.count.get();
        if count >= MOST {
            return unsafe { System.dealloc(block, layout) };
        }
        let kept = block.cast::<Kept>();
        unsafe { kept.write(Kept { next: shelf.first.get() }) };
        shelf.first.set(kept);
        shelf.count.set(count.wrapping_add(1));
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size, rounded up to the alignment, fits.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (self.shelf(layout), self.shelf(new)) {
            (Some((_, before)), Some((_, after))) if before == after => block,
            (None, None) => unsafe { System.realloc(block, layout, size) },
            _ => {
                let moved = unsafe { self.alloc(new) };
                if !moved.is_null() {
                    unsafe { block.copy_to_nonoverlapping(moved, layout.size().min(size)) };
                    unsafe { self.dealloc(block, layout) };
                }
                moved
            }
        }
    }
}

#[cfg(test)]
mod tests;
