//! What several hosts keep together, in Redis behind HTTP: sealed, under names that tell nothing, each with its life.
//!
//! Who reads all of it learns how many entries there are, how large and how old. Who can write there can make entries
//! disappear, and put back older ones under their own names; none can be made up, and none moved to another name.

mod journal;
#[cfg(not(target_arch = "wasm32"))]
pub mod scripted;
mod webdis;

pub use journal::{Journal, Sink};
pub use webdis::Lost;

use crate::config;
use crate::seal::{KeyedHash, Purpose, Sealer};
use crate::words::Secret;
use crate::world::{Flights, Host, LocalFuture};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::rc::Rc;
use std::time::Duration;
use webdis::{Answer, Asking, Webdis};

/// The largest value, in bytes before it is sealed.
const LARGEST: usize = 256 * 1024;
/// An answer that does not belong to the question.
const STRANGE: Lost = Lost("the answer does not belong to the command");

/// What kind of thing is kept. Each has names of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A session.
    Session,
    /// What a provider said of a token.
    Answer,
    /// What was revoked.
    Journal,
    /// A refresh under way, or done.
    Lease,
}

impl Kind {
    const fn letter(self) -> char {
        match self {
            Self::Session => 's',
            Self::Answer => 'a',
            Self::Journal => 'j',
            Self::Lease => 'l',
        }
    }
}

/// Where something is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(Rc<str>);

impl Key {
    /// Where a part of it is kept.
    pub fn part(&self, name: &str) -> Self {
        Self([&self.0, ":", name].concat().into())
    }
}

/// The store, as one worker reaches it.
pub struct Store {
    webdis: Webdis,
    sealer: Sealer,
    hash: KeyedHash,
    flights: Flights<Read>,
}

/// What is kept under some keys.
pub type Read = Result<Vec<Option<Vec<u8>>>, Lost>;

impl Store {
    /// A store for those that hold the same ring, which must not be empty.
    pub fn new(settings: &config::Store, ring: &[Secret]) -> Self {
        Self {
            webdis: Webdis::new(settings.clone()),
            sealer: Sealer::new(ring, Purpose::Store),
            hash: KeyedHash::new(ring, b"oidc-proxy-wasm store v1"),
            flights: Flights::default(),
        }
    }

    /// What holds while it does not answer.
    pub fn on_loss(&self) -> config::OnLoss {
        self.webdis.settings().on_loss
    }

    /// The key of what has a name that can be guessed. Another first secret of the ring makes another key: only for what
    /// may be lost when secrets rotate.
    pub fn key(&self, kind: Kind, name: &[&[u8]]) -> Key {
        self.named(kind, &self.hash.of(name))
    }

    /// The key of what has a secret of its own, from which it cannot be found out. It stays when secrets rotate.
    pub fn secret_key(&self, kind: Kind, secret: &Secret, bound_to: &[u8]) -> Key {
        let hash = KeyedHash::new(std::slice::from_ref(secret), b"oidc-proxy-wasm store key v1");
        self.named(kind, &hash.of(&[bound_to]))
    }

    fn named(&self, kind: Kind, hash: &[u8; 32]) -> Key {
        let prefix = &self.webdis.settings().prefix;
        Key(format!("{prefix}{}:{}", kind.letter(), URL_SAFE_NO_PAD.encode(hash)).into())
    }

    /// What is kept under each of `keys`, as it was at one moment. What does not open counts as nothing.
    pub fn get_all<'a>(&'a self, host: &'a dyn Host, keys: &'a [Key]) -> Asking<'a, Vec<Option<Vec<u8>>>> {
        Box::pin(async move {
            match self.webdis.ask(host, &words("MGET", keys)).await? {
                Answer::List(texts) if texts.len() == keys.len() => {
                    let both = keys.iter().zip(texts);
                    Ok(both.map(|(key, sealed)| self.open(key, &sealed?)).collect())
                }
                _ => Err(STRANGE),
            }
        })
    }

    /// Asks once for all who ask at the same time: what `work` reads, of which `key` is the name.
    pub fn together(&self, host: &Rc<dyn Host>, key: &Key, work: LocalFuture<Read>) -> LocalFuture<Read> {
        let watch = self.flights.start(&**host, key.0.as_bytes(), work);
        Box::pin(async move { watch.land().await.unwrap_or(Err(Lost("the question got lost"))) })
    }

    /// Keeps `plain` under `key` for `life`. Says whether it did: where something else stands in the way, it does not.
    pub fn set<'a>(
        &'a self,
        host: &'a dyn Host,
        key: &'a Key,
        plain: &[u8],
        life: Duration,
        place: Place,
    ) -> Asking<'a, bool> {
        let sealed = self.seal(host, key, plain);
        Box::pin(async move {
            let (sealed, life) = (sealed?, millis(life));
            let mut words = vec!["SET", &key.0, &sealed, "PX", &life];
            words.extend(place.word());
            match self.webdis.ask(host, &words).await? {
                Answer::Done => Ok(true),
                Answer::Nothing => Ok(false),
                _ => Err(STRANGE),
            }
        })
    }

    /// Lets it live for `life` from now on: one, and none where there is nothing.
    pub fn keep<'a>(&'a self, host: &'a dyn Host, key: &'a Key, life: Duration) -> Asking<'a, i64> {
        self.number(host, &["PEXPIRE", &key.0, &millis(life)])
    }

    /// How many milliseconds it still lives; less than none where there is nothing.
    pub fn left<'a>(&'a self, host: &'a dyn Host, key: &'a Key) -> Asking<'a, i64> {
        self.number(host, &["PTTL", &key.0])
    }

    /// Forgets what is under `keys`. Says how many there were.
    pub fn delete<'a>(&'a self, host: &'a dyn Host, keys: &[Key]) -> Asking<'a, i64> {
        self.number(host, &words("DEL", keys))
    }

    /// A number that is the answer.
    fn number<'a>(&'a self, host: &'a dyn Host, words: &[&str]) -> Asking<'a, i64> {
        let asked = self.webdis.ask(host, words);
        Box::pin(async move {
            match asked.await? {
                Answer::Number(number) => Ok(number),
                _ => Err(STRANGE),
            }
        })
    }

    fn seal(&self, host: &dyn Host, key: &Key, plain: &[u8]) -> Result<String, Lost> {
        if plain.len() > LARGEST {
            return Err(Lost("this is too large to keep"));
        }
        let mut nonce = [0; 24];
        host.fill_random(&mut nonce);
        // What is sealed for one key opens under no other.
        let sealed = self.sealer.seal(nonce, key.0.as_bytes(), plain);
        sealed.map(|sealed| URL_SAFE_NO_PAD.encode(sealed)).ok_or(Lost("there is no secret to seal with"))
    }

    fn open(&self, key: &Key, sealed: &str) -> Option<Vec<u8>> {
        self.sealer.open(key.0.as_bytes(), &URL_SAFE_NO_PAD.decode(sealed).ok()?).ok()
    }
}

/// What may stand where something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Whatever it is.
    Any,
    /// Nothing.
    Free,
    /// Something.
    Taken,
}

impl Place {
    const fn word(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Free => Some("NX"),
            Self::Taken => Some("XX"),
        }
    }
}

fn words<'a>(command: &'a str, keys: &'a [Key]) -> Vec<&'a str> {
    let mut words = vec![command];
    words.extend(keys.iter().map(|key| &*key.0));
    words
}

/// Redis takes no life of nothing.
fn millis(life: Duration) -> String {
    life.as_millis().max(1).to_string()
}

#[cfg(test)]
mod tests;
