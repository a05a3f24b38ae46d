//! The host's `verify_signature`: its argument and result are protobuf messages.

use super::imports::{self, Status};
use crate::world::{Hash, HostCheck};
use std::cell::Cell;

thread_local! {
    /// The host once said that it has no such function; it is not asked again.
    static MISSING: Cell<bool> = const { Cell::new(false) };
}

/// Asks the host whether `signature` over `message` fits the key. See [`crate::world::Host::verify_signature`].
pub fn verify(hash: Hash, spki: &[u8], message: &[u8], signature: &[u8]) -> HostCheck {
    if MISSING.get() {
        return HostCheck::Unable;
    }
    let size = spki.len().saturating_add(message.len()).saturating_add(signature.len()).saturating_add(64);
    let mut argument = Vec::with_capacity(size);
    for (number, value) in [(1, name(hash).as_bytes()), (2, spki), (3, signature), (4, message)] {
        write_bytes(&mut argument, number, value);
    }
    match imports::foreign("verify_signature", &argument) {
        Ok(result) => read_result(&result),
        Err(Status::NotFound) => {
            MISSING.set(true);
            HostCheck::Unable
        }
        Err(_) => HostCheck::Unable,
    }
}

/// What hosts call a hash function.
pub(super) const fn name(hash: Hash) -> &'static str {
    match hash {
        Hash::Sha256 => "sha256",
        Hash::Sha384 => "sha384",
        Hash::Sha512 => "sha512",
    }
}

/// A length-delimited field (wire type 2).
pub(super) fn write_bytes(out: &mut Vec<u8>, number: u8, value: &[u8]) {
    out.push(number.wrapping_shl(3) | 2);
    let mut rest = value.len();
    while rest > 0x7f {
        out.push(u8::try_from(rest & 0x7f).unwrap_or(0) | 0x80);
        rest >>= 7;
    }
    out.push(u8::try_from(rest).unwrap_or(0));
    out.extend_from_slice(value);
}

/// Field 1 is whether it fits, absent for no; field 2 an error's text, with which the answer tells nothing of the signature.
fn read_result(result: &[u8]) -> HostCheck {
    match result {
        [0x08, 0x01] => HostCheck::Valid,
        [] | [0x08, 0x00] => HostCheck::Invalid,
        // An error beside `false`: the host may not know the key, or mean just this signature. Our own check decides.
        _ => HostCheck::Unable,
    }
}
