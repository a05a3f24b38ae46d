//! Free ports of 127.0.0.1.

use std::net::TcpListener;
use std::ops::Range;
use std::process;
use std::sync::{Mutex, PoisonError};

/// Below the range that the kernel gives to outgoing connections, so that none of those takes a port between our look
/// and the moment when a program listens on it.
const FIRST: u16 = 12_000;

/// Ports come in blocks: whoever listens on the first of a block may give out the others, so that test programs that run
/// beside each other never give out the same, however long it takes until something listens there.
const BLOCK: u16 = 100;
const BLOCKS: u16 = 200;

struct Block {
    // Held as long as this process lives.
    _claim: TcpListener,
    rest: Range<u16>,
}

static CLAIMED: Mutex<Vec<Block>> = Mutex::new(Vec::new());

/// A port that nothing listens on, given once in this process and to no test program beside it.
///
/// # Panics
/// When all are given out.
pub fn free() -> u16 {
    let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(block) = claimed.last_mut()
            && let Some(port) = block.rest.find(|port| !taken(*port))
        {
            return port;
        }
        claimed.push(claim());
    }
}

/// Whether something listens on a port.
pub fn taken(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_err()
}

fn claim() -> Block {
    // Not always the same first: what an earlier program has left behind may still be ending.
    let start = process::id() % u32::from(BLOCKS);
    let block = |at: u32| FIRST + BLOCK * ((start + at) % u32::from(BLOCKS)) as u16;
    let found = (0..u32::from(BLOCKS)).map(block).find_map(|first| {
        let claim = TcpListener::bind(("127.0.0.1", first)).ok()?;
        Some(Block { _claim: claim, rest: first + 1..first + BLOCK })
    });
    found.unwrap_or_else(|| panic!("no block of ports between {FIRST} and {} is free", FIRST + BLOCK * BLOCKS))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_port_is_given_once() {
        assert_ne!(free(), free());
    }

    #[test]
    fn a_block_belongs_to_one_at_a_time() {
        let blocks: Vec<Block> = (0..5).map(|_| claim()).collect();
        let given: HashSet<u16> = blocks.iter().flat_map(|block| block.rest.clone()).collect();
        assert_eq!(given.len(), 5 * usize::from(BLOCK - 1));
        for block in blocks {
            assert!(taken(block.rest.start - 1), "the others see that it is claimed");
        }
    }
}
