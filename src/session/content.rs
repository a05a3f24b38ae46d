//! What a session holds, and how it is written down.

use super::origin::{self, Origin};
use crate::words::json::{self, Object};
use crate::words::{Claims, Secret, UnixTime};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// A logged-in person, as one browser's cookies keep it.
#[derive(Clone)]
pub struct Content {
    /// New at each login.
    pub sid: [u8; 16],
    /// How often its tokens were refreshed.
    pub generation: u32,
    /// When the login ended.
    pub created: UnixTime,
    /// When use was last written down.
    pub touched: UnixTime,
    /// The `sub` claim.
    pub subject: Rc<str>,
    /// What was granted.
    pub scope: Rc<str>,
    /// The claims that are kept.
    pub claims: Claims,
    /// The access token.
    pub access_token: Option<Rc<Secret>>,
    /// When the access token came; the epoch in sessions from before it was kept.
    pub access_born: UnixTime,
    /// When the access token ends.
    pub access_expires: UnixTime,
    /// The refresh token.
    pub refresh_token: Option<Secret>,
    /// The ID token.
    pub id_token: Option<Rc<Secret>>,
    /// The login that it comes of.
    pub origin: Origin,
    /// Whether the person asked to be remembered: such a session has longer lives.
    pub remembered: bool,
}

/// The first byte of what is written. It changes only where an older filter could not go on with what it reads: what is new
/// is written behind what was there, older filters skip it, and newer ones do without it.
const FORMAT: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    sid: [u8; 16],
    generation: u32,
    created: u64,
    touched: u64,
    #[serde(borrow)]
    subject: &'a str,
    #[serde(borrow)]
    scope: &'a str,
    #[serde(borrow)]
    claims: &'a [u8],
    #[serde(borrow)]
    access_token: Token<'a>,
    access_expires: u64,
    #[serde(borrow)]
    refresh_token: Token<'a>,
    #[serde(borrow)]
    id_token: Token<'a>,
}

/// What came later than the first filters that keep sessions.
#[derive(Default, Serialize, Deserialize)]
struct Later<'a> {
    #[serde(borrow)]
    origin: origin::Wire<'a>,
    remembered: bool,
    access_born: u64,
}

/// A token. The parts of a JWT are kept as the bytes that they encode: the cookie encodes them once more anyhow.
#[derive(Serialize, Deserialize)]
enum Token<'a> {
    Absent,
    Text(#[serde(borrow)] &'a str),
    Parts(#[serde(borrow)] Vec<&'a [u8]>),
}

impl Content {
    /// The bytes to seal.
    pub fn write(&self) -> Option<Vec<u8>> {
        let claims = serde_json::to_vec(&*self.claims).ok()?;
        let access_token = Decoded::of(self.access_token.as_deref());
        let refresh_token = Decoded::of(self.refresh_token.as_ref());
        let id_token = Decoded::of(self.id_token.as_deref());
        let wire = Wire {
            sid: self.sid,
            generation: self.generation,
            created: self.created.as_secs(),
            touched: self.touched.as_secs(),
            subject: &self.subject,
            scope: &self.scope,
            claims: &claims,
            access_token: access_token.token(),
            access_expires: self.access_expires.as_secs(),
            refresh_token: refresh_token.token(),
            id_token: id_token.token(),
        };
        postcard::to_allocvec(&(FORMAT, wire, self.later())).ok()
    }

    fn later(&self) -> Later<'_> {
        let access_born = self.access_born.as_secs();
        Later { origin: self.origin.wire(), remembered: self.remembered, access_born }
    }

    /// Reads what [`Self::write`] wrote; `None` for anything else.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (&FORMAT, bytes) = bytes.split_first()? else { return None };
        let (wire, rest): (Wire<'_>, _) = postcard::take_from_bytes(bytes).ok()?;
        let later = if rest.is_empty() { Later::default() } else { postcard::from_bytes(rest).ok()? };
        let claims: Object = json::object(wire.claims).ok()?;
        Some(Self {
            sid: wire.sid,
            generation: wire.generation,
            created: UnixTime::from_secs(wire.created),
            touched: UnixTime::from_secs(wire.touched),
            subject: wire.subject.into(),
            scope: wire.scope.into(),
            claims: Rc::new(claims),
            access_token: wire.access_token.secret().map(Rc::new),
            access_born: UnixTime::from_secs(later.access_born),
            access_expires: UnixTime::from_secs(wire.access_expires),
            refresh_token: wire.refresh_token.secret(),
            id_token: wire.id_token.secret().map(Rc::new),
            origin: later.origin.origin(),
            remembered: later.remembered,
        })
    }
}

/// A token and, where encoding them again gives the very same text, its decoded parts.
struct Decoded<'a> {
    text: Option<&'a str>,
    parts: Vec<Vec<u8>>,
}

impl<'a> Decoded<'a> {
    fn of(token: Option<&'a Secret>) -> Self {
        let text = token.and_then(Secret::expose_text);
        let parts = text.map(|text| text.split('.').map(|part| URL_SAFE_NO_PAD.decode(part)).collect());
        let Some(Ok(parts)) = parts else { return Self { text, parts: Vec::new() } };
        Self { text, parts }
    }

    fn token(&self) -> Token<'_> {
        match self.text {
            None => Token::Absent,
            Some(text) if self.parts.len() < 2 => Token::Text(text),
            Some(_) => Token::Parts(self.parts.iter().map(Vec::as_slice).collect()),
        }
    }
}

impl Token<'_> {
    fn secret(self) -> Option<Secret> {
        match self {
            Self::Absent => None,
            Self::Text(text) => Some(Secret::new(text)),
            Self::Parts(parts) => {
                let mut text = String::with_capacity(parts.iter().map(|part| part.len().saturating_mul(2)).sum());
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        text.push('.');
                    }
                    URL_SAFE_NO_PAD.encode_string(part, &mut text);
                }
                Some(Secret::new(text))
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn content() -> Content {
        Content {
            sid: [7; 16],
            generation: 3,
            created: UnixTime::from_secs(1_000),
            touched: UnixTime::from_secs(1_060),
            subject: "alice".into(),
            scope: "openid email".into(),
            claims: Rc::new(json::object(br#"{"email":"a@example.com","groups":["x y"]}"#).unwrap()),
            access_token: Some(Rc::new(Secret::new("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"))),
            access_born: UnixTime::from_secs(1_000),
            access_expires: UnixTime::from_secs(4_600),
            refresh_token: Some(Secret::new("opaque.with dots?.")),
            id_token: None,
            origin: Origin {
                issued: UnixTime::from_secs(990),
                auth_time: Some(980),
                azp: None,
                nonce: Some([3; 16]),
                sid: Some("s 1".into()),
            },
            remembered: true,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let read = Content::read(&content().write().unwrap()).unwrap();
        assert_eq!(read.sid, [7; 16]);
        assert_eq!((read.generation, read.created.as_secs(), read.touched.as_secs()), (3, 1_000, 1_060));
        assert_eq!((&*read.subject, &*read.scope), ("alice", "openid email"));
        assert_eq!(read.claims, content().claims);
        assert_eq!(read.access_token, content().access_token);
        assert_eq!(read.refresh_token, content().refresh_token);
        assert_eq!(read.id_token, None);
        assert_eq!((read.origin, read.remembered), (content().origin, true));
    }

    /// What the first filters sealed, which knew no `Later`, opens; and what a later filter seals opens here.
    #[test]
    fn neighbours_in_a_rolling_upgrade_read_each_other() {
        let bytes = content().write().unwrap();
        let later = postcard::to_allocvec(&content().later()).unwrap();
        let first = Content::read(&bytes[..bytes.len() - later.len()]).unwrap();
        assert_eq!((first.sid, first.origin, first.remembered), ([7; 16], Origin::default(), false));
        let next = Content::read(&[bytes.as_slice(), b"what comes next"].concat()).unwrap();
        assert_eq!((next.sid, next.origin), ([7; 16], content().origin));
    }

    #[test]
    fn a_token_that_is_not_canonical_base64url_comes_back_as_it_was() {
        for token in ["a.b", "eyJ.eyJ", "====", "a..b", "....", "QQ.QR", ".", "YQ", "ü.ü"] {
            let secret = Secret::new(token);
            assert_eq!(Decoded::of(Some(&secret)).token().secret(), Some(secret.clone()), "{token}");
        }
    }

    #[test]
    fn a_jwt_takes_three_quarters_of_its_text() {
        let token = Secret::new(format!("{0}.{0}.{0}", URL_SAFE_NO_PAD.encode([0x5a; 300])));
        let with = Content { id_token: Some(Rc::new(token.clone())), ..content() }.write().unwrap().len();
        let without = content().write().unwrap().len();
        assert!((with - without) * 100 < token.len() * 76, "{} of {}", with - without, token.len());
    }

    // S02: another format, or none.
    #[test]
    fn other_formats_and_cut_ones_are_not_read() {
        let bytes = content().write().unwrap();
        let later = postcard::to_allocvec(&content().later()).unwrap();
        for end in (0..bytes.len()).filter(|end| bytes.len() - end != later.len()) {
            assert!(Content::read(&bytes[..end]).is_none(), "cut at {end}");
        }
        let mut later = bytes.clone();
        later[0] = 2;
        assert!(Content::read(&later).is_none());
        assert!(Content::read(&bytes).is_some());
    }
}
