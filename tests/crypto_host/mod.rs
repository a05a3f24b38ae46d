//! Hosts with crypto of their own: that of other code than ours, none, or some that fails every other time.

use oidc_proxy_wasm::words::UnixTime;
use oidc_proxy_wasm::world::{CallError, Hash, Host, HostCheck, LocalFuture, Metric, NotWritten, Version};
use oidc_proxy_wasm::world::{ProviderRequest, ProviderResponse};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::pkcs8::DecodePublicKey as _;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use sha2::Digest;
use std::cell::Cell;
use std::time::Duration;

/// What the host's crypto is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crypto {
    /// There is none: the function is missing.
    Missing,
    /// The `rsa` crate, and RustCrypto's curves by way of DER.
    Library,
    /// The library, but every other call ends in an error.
    Unreliable,
}

impl Crypto {
    pub const ALL: [Self; 3] = [Self::Missing, Self::Library, Self::Unreliable];
}

/// A host that has nothing but crypto.
pub struct CryptoHost {
    crypto: Crypto,
    calls: Cell<usize>,
}

impl CryptoHost {
    pub fn new(crypto: Crypto) -> Self {
        Self { crypto, calls: Cell::new(0) }
    }
}

impl Host for CryptoHost {
    fn verify_signature(&self, hash: Hash, spki: &[u8], message: &[u8], signature: &[u8]) -> HostCheck {
        self.calls.set(self.calls.get() + 1);
        match self.crypto {
            Crypto::Library => library(hash, spki, message, signature),
            Crypto::Unreliable if self.calls.get().is_multiple_of(2) => library(hash, spki, message, signature),
            Crypto::Missing | Crypto::Unreliable => HostCheck::Unable,
        }
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_secs(1_700_000_000)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn call(&self, _: ProviderRequest) -> LocalFuture<Result<ProviderResponse, CallError>> {
        Box::pin(async { Err(CallError::UnknownCluster) })
    }

    fn sleep(&self, _: Duration) -> LocalFuture<()> {
        Box::pin(async {})
    }

    fn spawn(&self, _: LocalFuture<()>) {}

    fn shared(&self, _: &str) -> Option<(Vec<u8>, Version)> {
        None
    }

    fn share(&self, _: &str, _: &[u8], _: Version) -> Result<(), NotWritten> {
        Err(NotWritten)
    }

    fn count(&self, _: Metric) {}

    fn log(&self, _: log::Level, _: &str) {}
}

fn library(hash: Hash, spki: &[u8], message: &[u8], signature: &[u8]) -> HostCheck {
    let (digest, scheme) = match hash {
        Hash::Sha256 => (sha2::Sha256::digest(message).to_vec(), Pkcs1v15Sign::new::<rsa::sha2::Sha256>()),
        Hash::Sha384 => (sha2::Sha384::digest(message).to_vec(), Pkcs1v15Sign::new::<rsa::sha2::Sha384>()),
        Hash::Sha512 => (sha2::Sha512::digest(message).to_vec(), Pkcs1v15Sign::new::<rsa::sha2::Sha512>()),
    };
    let fits = if let Ok(key) = RsaPublicKey::from_public_key_der(spki) {
        key.verify(scheme, &digest, signature).is_ok()
    } else if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(spki) {
        p256::ecdsa::DerSignature::from_bytes(signature).is_ok_and(|der| key.verify_prehash(&digest, &der).is_ok())
    } else if let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_der(spki) {
        p384::ecdsa::DerSignature::from_bytes(signature).is_ok_and(|der| key.verify_prehash(&digest, &der).is_ok())
    } else if let Ok(key) = p521::ecdsa::VerifyingKey::from_public_key_der(spki) {
        p521::ecdsa::DerSignature::from_bytes(signature).is_ok_and(|der| key.verify_prehash(&digest, &der).is_ok())
    } else {
        return HostCheck::Unable;
    };
    if fits { HostCheck::Valid } else { HostCheck::Invalid }
}
