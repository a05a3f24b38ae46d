//! The host's `sign` (Envoy 1.36 and later): its argument and result are protobuf messages.

use super::imports;
use super::verify::{name, write_bytes};
use crate::http::protobuf::{self, Wire};
use crate::words::Secret;
use crate::world::Hash;
use zeroize::Zeroizing;

/// Asks the host for a signature. See [`crate::world::Host::sign`].
pub fn sign(hash: Hash, pkcs8: &Secret, message: &[u8]) -> Option<Vec<u8>> {
    // As long as it may become, so that no copy of the key is left behind where it grew.
    let size = pkcs8.len().saturating_add(message.len()).saturating_add(64);
    let mut argument = Zeroizing::new(Vec::with_capacity(size));
    for (number, value) in [(1, name(hash).as_bytes()), (2, pkcs8.expose()), (3, message)] {
        write_bytes(&mut argument, number, value);
    }
    let result = imports::foreign("sign", &argument).ok()?;
    // Field 1 is whether it worked, field 2 the signature, field 3 an error's text. Who asks checks the signature.
    protobuf::Fields(&result).flatten().find_map(|field| match field {
        (2, Wire::Bytes(signature)) => Some(signature.to_vec()),
        _ => None,
    })
}
