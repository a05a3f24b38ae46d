//! Project Wycheproof's vectors for the signature primitives, each by the host's crypto, by ours, and by both in turn.

mod crypto_host;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto_host::{Crypto, CryptoHost};
use oidc_proxy_wasm::jose::{PublicKey, signature};
use oidc_proxy_wasm::words::{Algorithm, Secret};
use wycheproof::{EllipticCurve, HashFunction, TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

/// Counts what ran, and names what we judge otherwise than the file.
#[derive(Default)]
struct Tally {
    ran: usize,
    accepted: usize,
    wrong: Vec<String>,
}

impl Tally {
    /// Runs one case on every kind of host; `expected` is what we want of it.
    fn run(&mut self, name: &str, key: &PublicKey, algorithm: Algorithm, case: (&[u8], &[u8]), expected: bool) {
        for crypto in Crypto::ALL {
            let host = CryptoHost::new(crypto);
            // The unreliable host first fails, then works.
            for _ in 0..if crypto == Crypto::Unreliable { 2 } else { 1 } {
                let fits = signature::check(&host, key, algorithm, case.0, case.1).is_ok();
                self.count(&format!("{name} on {crypto:?}"), fits, expected);
            }
        }
    }

    fn count(&mut self, name: &str, fits: bool, expected: bool) {
        self.ran += 1;
        self.accepted += usize::from(fits);
        if fits != expected {
            self.wrong.push(format!("{name}: accepted {fits}"));
        }
    }

    fn report(self, what: &str) {
        println!("{what}: {} checks, {} accepted", self.ran, self.accepted);
        assert!(self.wrong.is_empty(), "{what}: {:#?}", self.wrong);
        assert!(self.accepted > 0 && self.accepted < self.ran, "{what} ran on one kind of input only");
    }
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa_key(n: &[u8], e: &[u8]) -> PublicKey {
    PublicKey::parse(format!(r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#, text(n), text(e)).as_bytes()).unwrap()
}

/// "Acceptable" is what a strict verifier refuses: in the RSA files, a digest without its `NULL`.
fn expected(result: TestResult) -> bool {
    result == TestResult::Valid
}

// J18
#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName::*;
    let mut tally = Tally::default();
    for name in [
        Rsa2048Sha256,
        Rsa2048Sha384,
        Rsa2048Sha512,
        Rsa3072Sha256,
        Rsa3072Sha384,
        Rsa3072Sha512,
        Rsa4096Sha256,
        Rsa4096Sha384,
        Rsa4096Sha512,
        Rsa8192Sha256,
        Rsa8192Sha384,
        Rsa8192Sha512,
    ] {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let key = rsa_key(&group.key.n, &group.key.e);
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => Algorithm::Rs256,
                HashFunction::Sha2_384 => Algorithm::Rs384,
                _ => Algorithm::Rs512,
            };
            for test in group.tests {
                let name = format!("{name:?} {} {}", test.tc_id, test.comment);
                tally.run(&name, &key, algorithm, (&test.msg, &test.sig), expected(test.result));
            }
        }
    }
    tally.report("RSASSA-PKCS1-v1_5");
}

#[test]
fn rsa_pss() {
    use rsa_pss_verify::TestName::*;
    let mut tally = Tally::default();
    for name in [
        RsaPss2048Sha256Mgf1SaltLen32,
        RsaPss2048Sha256Mgf1SaltLen32WithParams,
        RsaPss2048Sha384Mgf1SaltLen48,
        RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32,
        RsaPss4096Sha384Mgf1SaltLen48,
        RsaPss4096Sha512Mgf1SaltLen64,
        RsaPss2048Sha256Mgf1SaltLen0,
        RsaPss2048Sha256Mgf1Sha1_20,
        RsaPss4096Sha512Mgf1SaltLen32,
        RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams,
        RsaPssmisc,
    ] {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let (algorithm, length) = match group.hash {
                HashFunction::Sha2_256 => (Algorithm::Ps256, 32),
                HashFunction::Sha2_384 => (Algorithm::Ps384, 48),
                HashFunction::Sha2_512 => (Algorithm::Ps512, 64),
                _ => continue,
            };
            // RFC 7518 §3.5 fixes MGF1's hash and the salt's length; with others, what the file calls valid is not.
            let ours = group.mgf_hash == Some(group.hash) && group.salt_size == length;
            let key = rsa_key(&group.key.n, &group.key.e);
            for test in group.tests.into_iter().filter(|test| ours || test.result == TestResult::Valid) {
                let name = format!("{name:?} {} {}", test.tc_id, test.comment);
                tally.run(&name, &key, algorithm, (&test.msg, &test.sig), ours && expected(test.result));
            }
        }
    }
    tally.report("RSASSA-PSS");
}

// J15, J17
#[test]
fn ecdsa_of_fixed_length() {
    use ecdsa::TestName::*;
    let mut tally = Tally::default();
    for name in [
        EcdsaSecp256r1Sha256P1363,
        EcdsaSecp256r1Webcrypto,
        EcdsaSecp384r1Sha384P1363,
        EcdsaSecp384r1Webcrypto,
        EcdsaSecp521r1Sha512P1363,
        EcdsaSecp521r1Webcrypto,
    ] {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let (algorithm, curve) = match group.key.curve {
                EllipticCurve::Secp256r1 => (Algorithm::Es256, "P-256"),
                EllipticCurve::Secp384r1 => (Algorithm::Es384, "P-384"),
                _ => (Algorithm::Es512, "P-521"),
            };
            let (x, y) = group.key.key[1..].split_at(group.key.key.len() / 2);
            let jwk = format!(r#"{{"kty":"EC","crv":"{curve}","x":"{}","y":"{}"}}"#, text(x), text(y));
            let key = PublicKey::parse(jwk.as_bytes()).unwrap();
            for test in group.tests {
                let name = format!("{name:?} {} {}", test.tc_id, test.comment);
                tally.run(&name, &key, algorithm, (&test.msg, &test.sig), expected(test.result));
            }
        }
    }
    tally.report("ECDSA");
}

#[test]
fn ed25519() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, text(&group.key.pk));
        let key = PublicKey::parse(jwk.as_bytes()).unwrap();
        for test in group.tests {
            let name = format!("{} {}", test.tc_id, test.comment);
            tally.run(&name, &key, Algorithm::EdDsa, (&test.msg, &test.sig), expected(test.result));
        }
    }
    tally.report("Ed25519");
}

#[test]
fn hmac() {
    use mac::TestName::*;
    let mut tally = Tally::default();
    for (name, algorithm, length) in
        [(HmacSha256, Algorithm::Hs256, 32), (HmacSha384, Algorithm::Hs384, 48), (HmacSha512, Algorithm::Hs512, 64)]
    {
        for group in mac::TestSet::load(name).unwrap().test_groups {
            // RFC 7518 §3.2: the whole tag, and a key of at least its length.
            let ours = group.tag_size == length * 8 && group.key_size >= length * 8;
            for test in group.tests {
                let fits = signature::check_mac(&Secret::new(&test.key[..]), algorithm, &test.msg, &test.tag).is_ok();
                let name = format!("{name:?} {} {}", test.tc_id, test.comment);
                tally.count(&name, fits, ours && expected(test.result));
            }
        }
    }
    tally.report("HMAC");
}
