//! Sessions in a store: the cookie is a sealed handle, and what it stands for lies in the store under a name that only the
//! handle gives. A handle that we did not seal is never asked about.
//!
//! That an entry is there says that the session is in use: its life in the store ends when nobody used it for too long, so
//! the use of a session is written down without writing the session, which somebody else may just have changed.

use super::content::Content;
use super::cookie::{self, Candidate, Mark};
use super::{Life, Opened, OpenedSessions, Sessions};
use crate::config::OnLoss;
use crate::http::cookie::Keep;
use crate::store::{Key, Kind, Lost, Store};
use crate::words::{Headers, Reason, Refusal, Secret, UnixTime};
use crate::world::World;
use std::rc::Rc;

/// The first byte of what the cookie seals, where contents have their format's.
const HANDLE: u8 = b'h';
/// Bytes of a handle.
const LENGTH: usize = 32;

/// What a cookie's plain bytes are, when they are no content.
pub(super) struct Handle(Secret);

impl Handle {
    /// Reads what [`Self::plain`] wrote.
    pub(super) fn read(plain: &[u8]) -> Option<Self> {
        let handle = plain.strip_prefix(&[HANDLE]).filter(|handle| handle.len() == LENGTH)?;
        Some(Self(Secret::new(handle)))
    }

    fn plain(&self) -> Secret {
        Secret::new([&[HANDLE], self.0.expose()].concat())
    }
}

impl Sessions {
    /// The same sessions, kept in `store`. Those that are whole in their cookies still open.
    pub fn kept_in(mut self, store: Option<&Rc<Store>>) -> Self {
        self.store = store.map(Rc::clone);
        self
    }

    /// As [`Self::open`], after asking the store for what this worker does not know.
    pub async fn find(&self, world: &World, headers: &Headers) -> Result<Option<Rc<Opened>>, Refusal> {
        let Some(store) = &self.store else { return Ok(self.open(world, headers)) };
        for candidate in cookie::candidates(headers, &self.names.session) {
            let Some((mark, handle)) = self.unknown_handle(&candidate) else { continue };
            let key = self.key(store, &handle);
            match store.get(&**world, &key).await {
                Ok(plain) => drop(plain.and_then(|plain| self.take_over(world, mark, &candidate, key, &plain))),
                Err(lost) => self.lost(lost)?,
            }
        }
        Ok(self.open(world, headers))
    }

    /// What the store says now of a session that this worker has: others may have used or changed it, or ended it. `None`
    /// where it is over. Sessions that are whole in their cookies are what they are.
    pub async fn again(&self, world: &World, opened: &Rc<Opened>) -> Result<Option<Rc<Opened>>, Refusal> {
        let (Some(store), Some(key)) = (&self.store, &opened.key) else { return Ok(Some(Rc::clone(opened))) };
        match store.get(&**world, key).await {
            Ok(plain) => {
                let content = plain.and_then(|plain| Content::read(&plain));
                let found = content.map(|content| self.remember(self.in_use(world, content), opened));
                if found.is_none() {
                    self.forget(opened);
                }
                Ok(found)
            }
            Err(lost) => self.lost(lost).map(|()| Some(Rc::clone(opened))),
        }
    }

    /// Keeps a new session, and gives the `set-cookie` values for it. It is kept when this says so.
    pub async fn begin(&self, world: &World, content: &Content, request: &Headers) -> Result<Vec<String>, Refusal> {
        let Some(store) = &self.store else { return self.set(world, content, request) };
        let handle = Handle(Secret::new(world.random::<LENGTH>()));
        let key = self.key(store, &handle);
        if let Err(lost) = self.write(world, store, &key, content).await {
            self.lost(lost)?;
            return self.set(world, content, request);
        }
        let plain = handle.plain();
        let sealed = cookie::seal(&self.sessions, &self.names.session, &self.bound_to, world.random(), plain.expose());
        let values = sealed.map(|sealed| sealed.values).ok_or(Reason::SessionTooLarge)?;
        // What this browser had before is nobody's any more.
        for candidate in cookie::candidates(request, &self.names.session) {
            let Some(handle) = self.handle(&candidate) else { continue };
            let (store, host, key) = (Rc::clone(store), world.host(), self.key(store, &handle));
            world.spawn(Box::pin(async move {
                let _ = store.delete(&*host, &key).await;
            }));
        }
        Ok(self.cookies(content, values, request))
    }

    /// Writes a session in the place of what it was, as after a refresh, and gives the `set-cookie` values for it.
    pub async fn replace(
        &self,
        world: &World,
        opened: &Rc<Opened>,
        content: &Content,
        request: &Headers,
    ) -> Result<Vec<String>, Refusal> {
        let (Some(store), Some(key)) = (&self.store, &opened.key) else { return self.set(world, content, request) };
        self.write(world, store, key, content).await?;
        self.remember(content.clone(), opened);
        Ok(self.same_cookie(content, opened))
    }

    /// Writes the use of a session down, in the background, and gives the `set-cookie` values for it.
    pub fn touch(&self, world: &World, opened: &Rc<Opened>, request: &Headers) -> Result<Vec<String>, Refusal> {
        let touched = opened.touched(world.now());
        let (Some(store), Some(key)) = (&self.store, &opened.key) else { return self.set(world, &touched, request) };
        let life = touched.ends(&self.settings).since(world.now());
        let (store, key, host) = (Rc::clone(store), key.clone(), world.host());
        let (cache, known) = (self.opened.clone(), self.known_as(opened));
        let cookies = self.same_cookie(&touched, opened);
        self.remember(touched, opened);
        world.spawn(Box::pin(async move {
            // It was ended elsewhere.
            if store.keep(&*host, &key, life).await == Ok(false)
                && let Some(known) = known
            {
                cache.0.borrow_mut().remove(&known);
            }
        }));
        Ok(cookies)
    }

    /// Ends the sessions in a request's cookies for good: what the store has of them, and what this worker knows.
    pub async fn delete(&self, world: &World, headers: &Headers) -> Result<(), Refusal> {
        let Some(store) = &self.store else { return Ok(()) };
        for candidate in cookie::candidates(headers, &self.names.session) {
            let Some(handle) = self.handle(&candidate) else { continue };
            if let Some(mark) = candidate.mark() {
                self.opened.0.borrow_mut().remove(&(Rc::clone(&self.names.session), mark));
            }
            store.delete(&**world, &self.key(store, &handle)).await?;
        }
        Ok(())
    }

    /// Whether a session that this worker calls `life` has to be looked for in the store before that is believed.
    pub fn must_ask(&self, opened: &Opened, life: Life, now: UnixTime) -> bool {
        life == Life::Over && opened.key.is_some() && now < opened.content.created.plus(self.settings.absolute)
    }

    /// Whether the cookies hold a handle of which this worker knows nothing.
    pub fn has_unknown(&self, headers: &Headers) -> bool {
        self.store.is_some()
            && cookie::candidates(headers, &self.names.session).iter().any(|one| self.unknown_handle(one).is_some())
    }

    async fn write(&self, world: &World, store: &Store, key: &Key, content: &Content) -> Result<(), Lost> {
        let plain = content.write().ok_or(Lost("the session cannot be written"))?;
        store.set(&**world, key, &plain, content.ends(&self.settings).since(world.now())).await
    }

    /// Where what this worker knows does, that is what holds.
    fn lost(&self, lost: Lost) -> Result<(), Refusal> {
        match self.store.as_ref().map(|store| store.on_loss()) {
            Some(OnLoss::Local) => Ok(()),
            Some(OnLoss::Deny) | None => Err(lost.into()),
        }
    }

    fn key(&self, store: &Store, handle: &Handle) -> Key {
        store.secret_key(Kind::Session, &handle.0, &self.bound_to)
    }

    fn handle(&self, candidate: &Candidate<'_>) -> Option<Handle> {
        Handle::read(&cookie::open(&self.sessions, &self.bound_to, &candidate.bytes())?)
    }

    fn unknown_handle(&self, candidate: &Candidate<'_>) -> Option<(Mark, Handle)> {
        let mark = candidate.mark()?;
        let known = self.opened.0.borrow_mut().get(&(Rc::clone(&self.names.session), mark));
        if known.is_some_and(|known| candidate.is(&known.bytes)) {
            return None;
        }
        Some((mark, self.handle(candidate)?))
    }

    fn take_over(
        &self,
        world: &World,
        mark: Mark,
        candidate: &Candidate<'_>,
        key: Key,
        plain: &[u8],
    ) -> Option<Rc<Opened>> {
        let content = self.in_use(world, Content::read(plain)?);
        let opened = Rc::new(Opened { content, bytes: candidate.bytes(), key: Some(key) });
        self.opened.insert((Rc::clone(&self.names.session), mark), &opened, plain.len());
        Some(opened)
    }

    /// That it is in the store says that it was used lately, though not when. So its use here is written down at once.
    fn in_use(&self, world: &World, content: Content) -> Content {
        let lately = UnixTime::from_secs(world.now().as_secs().saturating_sub(self.settings.touch.as_secs()));
        Content { touched: content.touched.max(lately), ..content }
    }

    /// Lets this worker know another state of a session.
    fn remember(&self, content: Content, before: &Rc<Opened>) -> Rc<Opened> {
        let opened = Rc::new(Opened { content, bytes: before.bytes.clone(), key: before.key.clone() });
        if let Some(known) = self.known_as(before) {
            self.opened.insert(known, &opened, 1024);
        }
        opened
    }

    fn forget(&self, opened: &Opened) {
        if let Some(known) = self.known_as(opened) {
            self.opened.0.borrow_mut().remove(&known);
        }
    }

    fn known_as(&self, opened: &Opened) -> Option<super::OpenedKey> {
        Some((Rc::clone(&self.names.session), cookie::mark_of(&opened.bytes)?))
    }

    /// The cookie that the browser has, for as long as `content` lives.
    fn same_cookie(&self, content: &Content, opened: &Opened) -> Vec<String> {
        let keep = Keep::Seconds(content.ends(&self.settings).since(content.touched).as_secs());
        let value = String::from_utf8_lossy(&opened.bytes);
        vec![self.attributes.set(&cookie::name(&self.names.session, 0), &value, keep)]
    }
}

impl OpenedSessions {
    /// The content weighs about what its sealed form does, and maps of claims weigh more.
    pub(super) fn insert(&self, key: super::OpenedKey, opened: &Rc<Opened>, size: usize) {
        self.0.borrow_mut().insert(key, Rc::clone(opened), size.saturating_mul(4).max(512));
    }
}
