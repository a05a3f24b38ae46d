//! Free ports of 127.0.0.1.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range that the kernel gives to outgoing connections, so that none of those takes a port between our look
/// and the moment when a program listens on it.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that nothing listens on, given once in this process.
pub fn free() -> u16 {
    // Test programs that run beside each other begin at different places.
    let start = process::id().wrapping_mul(251) as u16 % COUNT;
    for _ in 0..COUNT {
        let port = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port between {FIRST} and {} is free", FIRST + COUNT);
}

/// Whether something listens on a port.
pub fn taken(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_err()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_port_is_given_once() {
        assert_ne!(super::free(), super::free());
    }
}
