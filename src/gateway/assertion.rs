//! A client's assertion of who it is, signed with its key (RFC 7523 §2.2, §3).

use super::client::NotProven;
use super::{Client, GatewayTokens};
use crate::cache::Cache;
use crate::jose::{self, Expected, Kind, Untrusted, claims};
use crate::provider::{Marker, Slot, Slots};
use crate::words::{Algorithm, Secret, UnixTime};
use crate::world::World;
use std::cell::RefCell;
use std::time::Duration;

/// How far a client's clock may be from ours.
const SKEW: Duration = Duration::from_secs(30);
/// The longest that an assertion may live (RFC 7523 §3, 4: the server may refuse one that ends unreasonably late).
const LONGEST: Duration = Duration::from_secs(300);
/// How many assertions are remembered, on this worker and on this host.
const REMEMBERED: u16 = 4096;
/// What may sign one. What several share proves nobody.
pub const ALGORITHMS: [Algorithm; 10] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::EdDsa,
];

/// The assertions that came, each of which counts once (RFC 7523 §3, 7).
pub struct Assertions {
    /// All that hold the ring mark alike.
    marker: Marker,
    here: RefCell<Cache<u128, UnixTime>>,
    shared: Slots,
}

impl Assertions {
    /// None yet. Workers with the same ring share what came.
    pub fn new(ring: &[Secret]) -> Self {
        Self {
            marker: Marker::new(crate::seal::hash_key(ring)),
            here: RefCell::new(Cache::new(REMEMBERED.into())),
            shared: Slots::new("assertions", REMEMBERED, 256, ring),
        }
    }

    /// Whether this is the first that comes of the name `id` of a client; it is then remembered until `until`.
    fn is_first(&self, world: &World, client_id: &str, id: &str, until: UnixTime) -> bool {
        let mark = self.marker.mark(&**world, format!("{client_id}\0{id}").as_bytes());
        let here = self.here.borrow_mut().get(&mark);
        let now = world.now();
        if here.is_some_and(|until| now < until) || !self.shared.claim(&**world, mark, until) {
            return false;
        }
        self.here.borrow_mut().insert(mark, until, 1);
        // Its slot is another one's, which is older.
        if self.shared.read(&**world, mark).is_none() {
            self.shared.write(&**world, mark, &Slot { from: now, until, bytes: Vec::new() });
        }
        true
    }
}

impl GatewayTokens {
    /// The client who signed this. One audience, and that is ours: a token for several may have been lent (CVE-2025-27370).
    pub fn by_assertion(&self, world: &World, assertion: &str) -> Result<&Client, NotProven> {
        let untrusted = Untrusted::parse(assertion).map_err(|_| NotProven("the assertion is no JWT"))?;
        let said = untrusted.unverified_claims();
        let client_id = said.get("sub").and_then(|sub| sub.as_str()).unwrap_or_default().to_owned();
        let client = self.client(&client_id).ok_or(NotProven("no client of this name"))?;
        let keys = client.keys.as_ref().ok_or(NotProven("the client has no keys"))?;
        let (issuer, endpoint) = (&self.settings.issuer, self.token_endpoint());
        let audience = match claims::audiences(said).unwrap_or_default().as_slice() {
            [one] if one == issuer || *one == endpoint => (*one).to_owned(),
            _ => return Err(NotProven("aud is not our issuer or token endpoint alone")),
        };
        let expected = Expected {
            issuer: &client_id,
            audience: &audience,
            algorithms: &ALGORITHMS,
            kind: Kind::ClientAssertion,
            now: world.now(),
            skew: SKEW,
        };
        let proven = jose::verify(&**world, untrusted, jose::Keys::Public(keys), &expected)
            .map_err(|_| NotProven("the assertion is not believed: its claims, its time, or its signature"))?;
        let ends = proven.expires().ok_or(NotProven("the assertion has no exp"))?;
        if ends > world.now().plus(LONGEST).plus(SKEW) {
            return Err(NotProven("the assertion lives for more than five minutes"));
        }
        let id = proven.text("jti").filter(|id| (1..=256).contains(&id.len()));
        let id = id.ok_or(NotProven("the assertion has no jti"))?;
        if !self.assertions.is_first(world, &client_id, id, ends.plus(SKEW)) {
            return Err(NotProven("the assertion came before"));
        }
        Ok(client)
    }
}
