//! Which credential decides: every set of methods with every mix of credentials (conformance S11, attacks B08, B10, B14,
//! B15), against a specification of its own.

use crate::support::*;
use oidc_proxy_wasm::words::Method;
use oidc_proxy_wasm::world::{Metric, Outcome};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Session {
    None,
    Live,
    Dead,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    None,
    GoodJwt,
    BadJwt,
    Active,
    Inactive,
    /// Of the gateway's own.
    Issued,
    /// As if it were.
    Forged,
}

/// What is brought to be traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trade {
    None,
    GoodRefreshToken,
    BadRefreshToken,
    /// Basic, in which nothing else fits into `Authorization`.
    User,
    Client,
    WrongPair,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// It goes on, its sender known by this.
    Known(Method),
    /// It goes on as a stranger's.
    Stranger,
    /// It gets this answer.
    Answered(Reason),
}

#[derive(Clone, Copy, Debug)]
struct Case<'a> {
    methods: &'a [Method],
    session: Session,
    token: Token,
    trade: Trade,
    page: bool,
    optional: bool,
}

/// The first credential found decides, be it good or bad.
fn specified(case: &Case<'_>) -> Expected {
    let has = |method| case.methods.contains(&method);
    if has(Method::Session) && case.session == Session::Live {
        return Expected::Known(Method::Session);
    }
    let is_jwt = matches!(case.token, Token::GoodJwt | Token::BadJwt);
    let is_ours = matches!(case.token, Token::Issued | Token::Forged);
    let asks = has(Method::Introspection) || has(Method::Userinfo);
    let taker = if is_jwt && has(Method::Bearer) {
        Some((Method::Bearer, Reason::AccessTokenSignature))
    } else if has(Method::GatewayToken) && (is_ours || !asks) {
        Some((Method::GatewayToken, Reason::GatewayTokenUnreadable))
    } else if has(Method::Introspection) {
        Some((Method::Introspection, Reason::AccessTokenInactive))
    } else if has(Method::Userinfo) {
        Some((Method::Userinfo, Reason::AccessTokenInactive))
    } else {
        None
    };
    let is_good = match (case.token, taker) {
        (Token::Issued, Some((method, _))) => method == Method::GatewayToken,
        (Token::GoodJwt | Token::Active, Some((method, _))) => method != Method::GatewayToken,
        _ => false,
    };
    let takes_tokens = taker.is_some() || has(Method::Bearer);
    match (case.token, taker) {
        (Token::None, _) => {}
        (_, Some((method, _))) if is_good => return Expected::Known(method),
        (_, Some((_, reason))) => return Expected::Answered(reason),
        (_, None) if takes_tokens => return Expected::Answered(Reason::AccessTokenMalformed),
        (_, None) => {}
    }
    if let Some(traded) = traded(case) {
        return traded;
    }
    if case.optional {
        return Expected::Stranger;
    }
    Expected::Answered(match (has(Method::AuthorizationCode) && case.page, takes_tokens) {
        (true, _) => Reason::LoginStarted,
        (false, true) => Reason::AccessTokenRequired,
        (false, false) if has(Method::AuthorizationCode) => Reason::LoginRequired,
        (false, false) if case.methods.iter().any(|method| TRADES.contains(method)) => Reason::CredentialRequired,
        (false, false) => Reason::LoginRequired,
    })
}

const TRADES: [Method; 3] = [Method::RefreshToken, Method::Password, Method::ClientCredentials];

/// What comes of a credential that is traded: a refresh token before Basic, which is a user's first and then a client's.
fn traded(case: &Case<'_>) -> Option<Expected> {
    let has = |method| case.methods.contains(&method);
    let takes = |methods: &[Method]| methods.iter().any(|method| has(*method));
    let (pair, refused) =
        ([Method::Password, Method::ClientCredentials], Expected::Answered(Reason::CredentialRefused));
    match case.trade {
        Trade::GoodRefreshToken if has(Method::RefreshToken) => Some(Expected::Known(Method::RefreshToken)),
        Trade::BadRefreshToken if has(Method::RefreshToken) => Some(refused),
        Trade::User if has(Method::Password) => Some(Expected::Known(Method::Password)),
        Trade::Client if has(Method::ClientCredentials) => Some(Expected::Known(Method::ClientCredentials)),
        Trade::User | Trade::Client | Trade::WrongPair if takes(&pair) => Some(refused),
        _ => None,
    }
}

/// Tokens and trades that fit into one request. What is traded comes after tokens and sessions, so that a few of these beside
/// it say all.
fn shown() -> Vec<(Token, Trade)> {
    let tokens =
        [Token::None, Token::GoodJwt, Token::BadJwt, Token::Active, Token::Inactive, Token::Issued, Token::Forged];
    let beside = [Token::None, Token::GoodJwt, Token::Inactive].map(|token| (token, Trade::GoodRefreshToken));
    let pairs =
        [Trade::BadRefreshToken, Trade::User, Trade::Client, Trade::WrongPair].map(|trade| (Token::None, trade));
    tokens.into_iter().map(|token| (token, Trade::None)).chain(beside).chain(pairs).collect()
}

/// The sessions beside a trade, and whether a page is asked for.
fn beside(trade: Trade) -> Vec<(Session, bool)> {
    match trade {
        Trade::None => {
            let sessions = [Session::None, Session::Live, Session::Dead];
            sessions.into_iter().flat_map(|session| [false, true].map(|page| (session, page))).collect()
        }
        Trade::GoodRefreshToken => vec![(Session::None, true), (Session::Live, false)],
        _ => vec![(Session::Dead, false)],
    }
}

/// Every set of methods that a rule may have: a login leaves a session, which something must read.
fn sets() -> Vec<Vec<Method>> {
    let all = (1_u32..1 << Method::ALL.len()).map(|set| {
        let chosen = Method::ALL.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0);
        chosen.map(|(_, method)| *method).collect::<Vec<_>>()
    });
    all.filter(|set| !set.contains(&Method::AuthorizationCode) || set.contains(&Method::Session)).collect()
}

/// How often requests of the rule went on, by how their senders were known.
fn forwarded(shop: &Shop) -> Vec<(Option<Method>, u64)> {
    let ways = Method::ALL.into_iter().map(Some).chain([None]);
    let count = |way| shop.script.counted(Metric::Decided { rule: Some(3), outcome: Outcome::Forwarded(way) });
    ways.map(|way| (way, count(way))).collect()
}

fn became(shop: &Shop, request: &Req) -> Expected {
    let before = forwarded(shop);
    let answer = shop.decide(request);
    if let Some(reason) = answer.reason() {
        assert_eq!(forwarded(shop), before);
        return Expected::Answered(reason);
    }
    let after = forwarded(shop);
    let grown: Vec<_> = after.into_iter().zip(before).filter(|(after, before)| after.1 > before.1).collect();
    assert_eq!(grown.len(), 1);
    let user = answer.service("x-user");
    match grown[0].0.0 {
        Some(method) => {
            // A token of our own speaks of a client, and of nobody.
            let expected: &[&str] = match method {
                Method::ClientCredentials => &["batch"],
                Method::GatewayToken => &[],
                _ => &["alice"],
            };
            assert_eq!(user, expected);
            Expected::Known(method)
        }
        None => {
            assert!(user.is_empty());
            Expected::Stranger
        }
    }
}

#[test]
fn the_first_credential_found_decides() {
    let login = Shop::with_gateway_tokens(|config| {
        config["rules"][3]["methods"] = json!(["session", "authorization_code"]);
        config["gateway_tokens"]["clients"][0]["audience"] = json!(["api"]);
        config["gateway_tokens"]["lifetime"] = json!("24h");
    });
    let cookie = || login.guest().jar.field(login.now(), &get("/")).unwrap();
    let dead = cookie();
    login.script.advance(366 * 24 * 3600);
    let live = cookie();
    let (good, active) = (login.idp.jwt(|_| {}), login.idp.opaque(|_| {}));
    let (head, signature) = good.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let bad = format!("{head}.{other}{}", &signature[1..]);
    let granted = crate::gateway_tokens::form("/oauth/token", "grant_type=client_credentials");
    let granted = login.decide(&crate::gateway_tokens::basic(granted, "batch", BATCH_SECRET));
    let granted: Value = serde_json::from_str(granted.body()).unwrap();
    let issued = granted["access_token"].as_str().unwrap();
    let forged = format!("{}A", &issued[..issued.len() - 4]);
    let inactive = "opaque-unknown-0123456789".to_owned();
    login.idp.gives_jwts();
    login.idp.knows_user("alice", "wonderland");
    login.idp.knows_client_by("batch", "secret-of-batch");
    let refresh_token = login.idp.refresh_token();
    let mut cases = 0;
    for methods in sets() {
        for optional in [false, true] {
            let shop = login.reconfigured(|config| {
                let rule = config["rules"][3].as_object_mut().unwrap();
                rule.insert("methods".to_owned(), methods.iter().map(|method| json!(method.name())).collect());
                rule.insert("allow".to_owned(), json!(if optional { "optional" } else { "authenticated" }));
                rule.insert("token".to_owned(), json!({ "audience": ["api"] }));
            });
            for (token, trade) in shown() {
                for (session, page) in beside(trade) {
                    let mut request = if page { get("/x") } else { background("/x") };
                    request = match session {
                        Session::None => request,
                        Session::Live => request.with("cookie", &live),
                        Session::Dead => request.with("cookie", &dead),
                    };
                    request = match token {
                        Token::None => request,
                        Token::GoodJwt => request.bearer(&good),
                        Token::BadJwt => request.bearer(&bad),
                        Token::Active => request.bearer(&active),
                        Token::Inactive => request.bearer(&inactive),
                        Token::Issued => request.bearer(issued),
                        Token::Forged => request.bearer(&forged),
                    };
                    request = match trade {
                        Trade::None => request,
                        Trade::GoodRefreshToken => request.with("refresh-token", &refresh_token),
                        Trade::BadRefreshToken => request.with("refresh-token", "no-such-token"),
                        Trade::User => request.basic("alice", "wonderland"),
                        Trade::Client => request.basic("batch", "secret-of-batch"),
                        Trade::WrongPair => request.basic("alice", "no such password"),
                    };
                    let case = Case { methods: &methods, session, token, trade, page, optional };
                    assert_eq!(became(&shop, &request), specified(&case), "{case:?}");
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, 383 * 2 * (7 * 6 + 3 * 2 + 4));
}
