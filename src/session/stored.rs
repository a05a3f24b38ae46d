//! Sessions in a store: the cookie is a sealed handle, and what it stands for lies in the store under a name that only the
//! handle gives. A handle that we did not seal is never asked about.
//!
//! How long an entry still lives says when the session was used last: so its use is written down without writing the
//! session, which somebody else may just have changed.

use super::cookie;
use super::{Content, Life, Looked, Opened, OpenedKey, Sessions, bond, newer};
use crate::config::OnLoss;
use crate::store::{Key, Kind, Lost, Place, Store};
use crate::words::{Headers, Reason, Refusal, Secret, UnixTime};
use crate::world::{LocalFuture, Metric, World};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// The first byte of what the cookie seals, where contents have their format's.
const HANDLE: u8 = b'h';
/// Bytes of a handle.
const LENGTH: usize = 32;

/// A session that is being written; `false` where it was ended meanwhile.
type Writing = LocalFuture<Result<bool, Lost>>;

/// A handle that this worker does not know.
pub(super) struct Stranger {
    /// What it will be known as.
    pub(super) mark: OpenedKey,
    /// The cookie's bytes.
    pub(super) bytes: Box<[u8]>,
    /// What they are bound to.
    pub(super) bond: Vec<u8>,
    /// Where the session is.
    pub(super) key: Key,
}

impl Sessions {
    /// The same sessions, kept in `store`. Those that are whole in their cookies still open.
    pub fn kept_in(mut self, store: Option<&Rc<Store>>) -> Self {
        self.store = store.map(Rc::clone);
        self
    }

    /// Whether there is a store.
    pub fn have_store(&self) -> bool {
        self.store.is_some()
    }

    /// As [`Self::open`], after asking the store for what this worker does not know.
    pub async fn find(&self, world: &World, headers: &Headers) -> Result<Option<Rc<Opened>>, Refusal> {
        self.find_after(world, headers, self.look(world, headers)).await
    }

    /// The same after a look.
    pub async fn find_after(
        &self,
        world: &World,
        headers: &Headers,
        looked: Looked,
    ) -> Result<Option<Rc<Opened>>, Refusal> {
        match looked.has_strangers() {
            false => Ok(looked.found),
            // Boxed, as all that waits: the future of a request that just passes stays small.
            true => Box::pin(self.meet(world, headers, looked)).await,
        }
    }

    async fn meet(&self, world: &World, headers: &Headers, looked: Looked) -> Result<Option<Rc<Opened>>, Refusal> {
        for Stranger { mark, bytes, bond, key } in looked.strangers {
            match self.fetch(world, &key).await {
                Ok(Some(content)) => {
                    world.count(Metric::SessionsOpened);
                    self.remember(mark, bytes, bond, key, content);
                }
                Ok(None) => {}
                Err(lost) => self.lost(lost)?,
            }
        }
        Ok(self.open(world, headers))
    }

    /// Whether a session may have been changed or ended elsewhere, where that matters: when this worker takes it for over, and
    /// before its tokens are renewed. Sessions that are whole in their cookies are what they are.
    pub fn is_doubtful(&self, opened: &Opened, now: UnixTime) -> bool {
        opened.key.is_some() && (now >= opened.due || opened.content.life(&self.settings, now) == Life::Over)
    }

    /// A session as the store has it now; `None` where it is gone.
    pub async fn again(&self, world: &World, opened: Rc<Opened>) -> Result<Option<Rc<Opened>>, Refusal> {
        let Some((key, mark)) = self.place_of(&opened) else { return Ok(Some(opened)) };
        match self.fetch(world, &key).await {
            Ok(Some(content)) => {
                // Whoever wrote it may have been late.
                let content = match content.generation < opened.content.generation {
                    true => opened.content.touched_at(content.touched),
                    false => content.touched_at(opened.content.touched),
                };
                let (bytes, bond) = (opened.bytes.clone(), opened.bond.clone());
                Ok(Some(self.remember(mark, bytes, bond, key, Rc::new(content))))
            }
            Ok(None) => {
                self.opened.0.borrow_mut().remove(&mark);
                Ok(None)
            }
            Err(lost) => self.lost(lost).map(|()| Some(opened)),
        }
    }

    /// Keeps a new session, and gives the `set-cookie` values for it. It is kept when this says so.
    pub async fn begin(&self, world: &World, content: &Content, request: &Headers) -> Result<Vec<String>, Refusal> {
        let Some(store) = &self.store else { return self.set(world, content, request) };
        let handle = world.random::<LENGTH>();
        let plain = Secret::new([&[HANDLE][..], &handle].concat());
        let key = store.secret_key(Kind::Session, &Secret::new(handle), &self.bound_to);
        if let Err(lost) = self.write(world, key, content, Place::Any).await {
            self.lost(lost)?;
            return self.set(world, content, request);
        }
        // What this browser had before is nobody's any more.
        self.discard(world, request);
        let (_, cookies) = self.sealed(world, &plain, content, request)?;
        Ok(cookies)
    }

    /// Writes down that a session is used, or what became of it when its tokens were renewed, beside the request; and gives the
    /// `set-cookie` values for it.
    pub fn update(
        &self,
        world: &World,
        opened: &Rc<Opened>,
        content: &Content,
        request: &Headers,
    ) -> Result<Vec<String>, Refusal> {
        let Some((key, mark)) = self.place_of(opened) else { return self.set(world, content, request) };
        if content.generation != opened.content.generation {
            let (cookies, writing) = self.renew(world, opened, key, content, request)?;
            world.spawn(Box::pin(async move {
                let _ = writing.await;
            }));
            return Ok(cookies);
        }
        let life = content.ends(&self.settings).since(world.now());
        let (bytes, bond) = (opened.bytes.clone(), opened.bond.clone());
        let cookies = self.attributes.set(&mark.0, &String::from_utf8_lossy(&bytes), self.keep_for(content));
        self.remember(mark.clone(), bytes, bond, key.clone(), Rc::new(content.clone()));
        let (store, host, cache) = (self.store.clone(), world.host(), self.opened.clone());
        world.spawn(Box::pin(async move {
            // It was ended elsewhere.
            if let Some(store) = store
                && store.keep(&*host, &key, life).await == Ok(0)
            {
                cache.0.borrow_mut().remove(&mark);
            }
        }));
        Ok(vec![cookies])
    }

    /// What became of a session when its tokens were renewed, written down; and the `set-cookie` values for it.
    pub async fn replace(
        &self,
        world: &World,
        opened: &Rc<Opened>,
        content: &Content,
        request: &Headers,
    ) -> Result<Vec<String>, Refusal> {
        let Some((key, _)) = self.place_of(opened) else { return self.set(world, content, request) };
        let (cookies, writing) = self.renew(world, opened, key, content, request)?;
        match writing.await {
            Ok(_) => Ok(cookies),
            Err(lost) => self.lost(lost).map(|()| cookies),
        }
    }

    /// The handle is sealed anew: whoever meets it asks the store.
    fn renew(
        &self,
        world: &World,
        opened: &Rc<Opened>,
        key: Key,
        content: &Content,
        request: &Headers,
    ) -> Result<(Vec<String>, Writing), Refusal> {
        let before = cookie::open(&self.sessions, &self.bound_to(&opened.bond), &opened.bytes);
        let plain = Secret::new(before.ok_or(Reason::SessionTooLarge)?);
        let (bytes, cookies) = self.sealed(world, &plain, content, request)?;
        for bytes in [opened.bytes.clone(), bytes] {
            if let Some(mark) = self.mark_of(&bytes, content) {
                self.remember(mark, bytes, opened.bond.clone(), key.clone(), Rc::new(content.clone()));
            }
        }
        // One that was ended meanwhile does not come back.
        Ok((cookies, self.write(world, key, content, Place::Taken)))
    }

    /// Ends the sessions in a request's cookies: what the store has of them, and what this worker knows. Gives the `set-cookie`
    /// values that end them in this browser.
    pub fn discard(&self, world: &World, request: &Headers) -> Vec<String> {
        let bond = bond::of(&self.settings.bind, request);
        let (mut strangers, mut keys) = (Vec::new(), Vec::new());
        if self.store.is_some() {
            for name in self.names.of_sessions() {
                for candidate in cookie::candidates(request, name) {
                    let known = self.open_one(world, name, &candidate, &bond, &mut strangers);
                    if let Some((key, mark)) = known.and_then(|known| self.place_of(&known)) {
                        self.opened.0.borrow_mut().remove(&mark);
                        keys.push(key);
                    }
                }
            }
        }
        keys.extend(strangers.into_iter().map(|stranger| stranger.key));
        if let Some(store) = self.store.clone().filter(|_| !keys.is_empty()) {
            let host = world.host();
            world.spawn(Box::pin(async move {
                let _ = store.delete(&*host, &keys).await;
            }));
        }
        self.end(request)
    }

    /// The session's entry, with when it was used last.
    async fn fetch(&self, world: &World, key: &Key) -> Result<Option<Rc<Content>>, Lost> {
        let Some(store) = &self.store else { return Ok(None) };
        let (asks, host, place) = (Rc::clone(store), world.host(), key.clone());
        let read = store.together(
            &world.host(),
            key,
            Box::pin(async move {
                let mut found = asks.get_all(&*host, std::slice::from_ref(&place)).await?;
                let left = asks.left(&*host, &place).await?;
                found.push(Some(left.to_le_bytes().to_vec()));
                Ok(found)
            }),
        );
        let read = read.await?;
        let [Some(plain), Some(left)] = read.as_slice() else { return Ok(None) };
        let (Some(content), Ok(left)) = (Content::read(plain), left.as_slice().try_into()) else { return Ok(None) };
        let Ok(left) = u64::try_from(i64::from_le_bytes(left)) else { return Ok(None) };
        let left = Duration::from_millis(left);
        let idle = self.settings.lives_of(content.remembered).idle;
        Ok(Some(Rc::new(content.touched_at(world.now().plus(left).minus(idle)))))
    }

    fn write(&self, world: &World, key: Key, content: &Content, place: Place) -> Writing {
        let (store, host, plain) = (self.store.clone(), world.host(), content.write());
        let life = content.ends(&self.settings).since(world.now());
        Box::pin(async move {
            let (Some(store), Some(plain)) = (store, plain) else { return Err(Lost("the session cannot be written")) };
            store.set(&*host, &key, &plain, life, place).await
        })
    }

    /// Where what this worker knows does, that is what holds.
    fn lost(&self, lost: Lost) -> Result<(), Refusal> {
        match self.store.as_ref().map(|store| store.on_loss()) {
            Some(OnLoss::Local) => Ok(()),
            Some(OnLoss::Deny) | None => Err(lost.into()),
        }
    }

    /// Where the session is whose handle this is; `None` where it is no handle, or nobody could ask.
    pub(super) fn key_of(&self, plain: &[u8]) -> Option<Key> {
        let handle = plain.strip_prefix(&[HANDLE]).filter(|handle| handle.len() == LENGTH)?;
        Some(self.store.as_ref()?.secret_key(Kind::Session, &Secret::new(handle), &self.bound_to))
    }

    fn place_of(&self, opened: &Opened) -> Option<(Key, OpenedKey)> {
        Some((opened.key.clone()?, self.mark_of(&opened.bytes, &opened.content)?))
    }

    fn mark_of(&self, bytes: &[u8], content: &Content) -> Option<OpenedKey> {
        Some((Rc::clone(self.names.of_session(content)), cookie::mark_of(bytes)?))
    }

    /// The cookie of a handle: its bytes, and the `set-cookie` values.
    fn sealed(
        &self,
        world: &World,
        plain: &Secret,
        content: &Content,
        request: &Headers,
    ) -> Result<(Box<[u8]>, Vec<String>), Refusal> {
        let (name, bound_to) = (self.names.of_session(content), self.bound_to(&bond::of(&self.settings.bind, request)));
        let sealed = cookie::seal(&self.sessions, name, &bound_to, world.random(), plain.expose());
        let values = sealed.ok_or(Reason::SessionTooLarge)?.values;
        Ok((values.concat().into_bytes().into(), self.cookies(content, values, request)))
    }

    /// Lets this worker know a session, unless it knows a later state of it.
    fn remember(&self, mark: OpenedKey, bytes: Box<[u8]>, bond: Vec<u8>, key: Key, content: Rc<Content>) -> Rc<Opened> {
        let known = self.opened.0.borrow_mut().get(&mark).filter(|known| known.bytes == bytes && known.bond == bond);
        if let Some(known) = known.filter(|known| newer(&known.content, &content)) {
            return known;
        }
        let due = content.refresh_due(&self.settings.refresh);
        let opened =
            Opened { content, due, news: Cell::new(false), used: Cell::default(), bytes, bond, key: Some(key) };
        let opened = Rc::new(opened);
        self.opened.insert(mark, &opened, opened.content.write().map_or(0, |plain| plain.len()));
        opened
    }
}
