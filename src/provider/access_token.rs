//! stub
use super::Provider;
use crate::config;
use crate::words::*;
use crate::world::World;
use std::rc::Rc;
pub struct AccessTokens;
pub struct AccessToken {
    pub provider: usize,
    pub issuer: Rc<str>,
    pub subject: Option<Rc<str>>,
    pub scope: Rc<str>,
    pub claims: Claims,
}
pub struct Introspected {
    pub issuer: Rc<str>,
    pub subject: Option<Rc<str>>,
    pub client: Option<Rc<str>>,
    pub scope: Rc<str>,
    pub claims: Claims,
}
pub struct Answer {
    pub subject: Rc<str>,
    pub claims: Claims,
}
impl AccessTokens {
    pub fn new(_: &[Rc<Provider>], _: &(), _: Vec<Vec<ClaimPath>>) -> Self {
        Self
    }
    pub async fn verify(&self, _: &World, _: &str, _: &[usize]) -> Result<Rc<AccessToken>, Refusal> {
        Err(Reason::AccessTokenMalformed.into())
    }
    pub fn known(&self, _: &World, _: &str, _: &[usize]) -> Option<Rc<AccessToken>> {
        None
    }
    pub fn is_jwt(t: &str) -> bool {
        t.contains('.')
    }
}
impl AccessToken {
    pub fn judge(&self, _: &config::TokenRules) -> Result<Option<Rc<str>>, Refusal> {
        Ok(None)
    }
}
impl Introspected {
    pub fn judge(&self, _: &config::TokenRules) -> Result<(), Refusal> {
        Ok(())
    }
}
impl Provider {
    pub async fn introspect(&self, _: &World, _: &str) -> Result<Rc<Introspected>, Refusal> {
        Err(Reason::AccessTokenMalformed.into())
    }
    pub async fn ask_userinfo(&self, _: &World, _: &str) -> Result<Rc<Answer>, Refusal> {
        Err(Reason::AccessTokenMalformed.into())
    }
}
