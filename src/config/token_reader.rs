//! Reads what a rule says about credentials and access tokens.

use super::addresses::{self, PlainHttp};
use super::problem::quoted;
use super::section::Section;
use super::upstream_reader::spelled;
use super::{Credentials, Enrich, Place, Resource, SecretPlace, TokenRules};
use crate::words::Method;

/// Where credentials are looked for.
pub(super) fn credentials(section: &Section) -> Credentials {
    let credentials = Credentials {
        bearer: places(section, "bearer"),
        password: secret_places(section, "password"),
        client_credentials: secret_places(section, "client_credentials"),
        hide: section.flag("hide"),
        ..Credentials::default()
    };
    match section.has("refresh_token") {
        true => Credentials { refresh_token: places(section, "refresh_token"), ..credentials },
        false => credentials,
    }
}

/// Places in their order: of refresh tokens the first that is found counts.
fn places(section: &Section, key: &str) -> Vec<Place> {
    if !section.has(key) {
        return section.texts(key).into_iter().filter_map(place_called).collect();
    }
    let mut places: Vec<Place> = Vec::new();
    for (item, elsewhere) in section.items(key).iter().zip(section.sections(key)) {
        let place = match item.as_str() {
            Some(word) => place_called(word),
            None if elsewhere.is_object() => elsewhere_in(&elsewhere),
            None => None,
        };
        let Some(place) = place else { continue };
        if places.contains(&place) {
            section.problem(key, "names a place twice");
        }
        places.push(place);
    }
    places
}

fn place_called(word: &str) -> Option<Place> {
    match word {
        "header" => Some(Place::Authorization),
        "query" => Some(Place::Query),
        "form" => Some(Place::Form),
        _ => None,
    }
}

fn secret_places(section: &Section, key: &str) -> Vec<SecretPlace> {
    let place = |word| if word == "form" { SecretPlace::Form } else { SecretPlace::Basic };
    section.texts(key).into_iter().map(place).collect()
}

fn elsewhere_in(place: &Section) -> Option<Place> {
    match (place.text("header"), place.text("cookie")) {
        (Some(name), None) => match addresses::header_name(name) {
            Ok(name) if name == "authorization" => {
                place.problem("header", "is a field with a scheme: write `header`, which reads Authorization: Bearer");
                None
            }
            Ok(name) => Some(Place::Header(name)),
            Err(message) => {
                place.problem("header", message);
                None
            }
        },
        (None, Some(name)) if addresses::is_token(name) => Some(Place::Cookie(name.to_owned())),
        (None, Some(_)) => {
            place.problem("cookie", "is no name for a cookie (RFC 6265 §4.1.1)");
            None
        }
        _ => {
            place.problem_here("needs exactly one of header and cookie");
            None
        }
    }
}

/// What an access token must be.
pub(super) fn token(section: &Section, methods: &[Method]) -> TokenRules {
    let audience = match section.value("audience") {
        Some(value) if value.is_string() => None,
        Some(_) => Some(section.owned_texts("audience")),
        None => {
            if methods.contains(&Method::Bearer) || methods.contains(&Method::ClientCredentials) {
                let message = "is missing: bearer and client_credentials take tokens that are meant for this API alone; name the values of aud \
                               that mean it, or write `any`";
                section.problem("audience", message);
            }
            // Introspected tokens are bound to us by our own registration.
            None
        }
    };
    let types = section.texts("types").into_iter().map(|typ| (typ != "absent").then(|| media_type(typ))).collect();
    let resource = section.text("resource").and_then(|text| {
        let checked = addresses::url(text, PlainHttp::OnLoopback);
        let url = checked.map_err(|message| section.problem("resource", message)).ok()?;
        Some(Resource { name: text.to_owned(), url })
    });
    if resource.as_ref().is_some_and(|resource| resource.url.query().is_some()) {
        section.problem("resource", "has a query, which a well-known path cannot tell (RFC 9728 §3)");
    }
    let acr_values: Vec<String> = section.owned_texts("acr_values");
    if let Some(value) = acr_values.iter().find(|value| value.contains([' ', '"', '\\'])) {
        section.problem("acr_values", format!("{} is not one value: no spaces, \" or \\", quoted(value)));
    }
    TokenRules {
        audience,
        types,
        client_id_claims: section.owned_texts("client_id_claims"),
        introspect_jwt: section.flag("introspect_jwt"),
        resource,
        exchange: None,
        max_age: section.duration("max_age"),
        acr_values,
    }
}

/// A `typ` as it is compared: without case, and without the prefix that may be left out (RFC 7515 §4.1.9).
fn media_type(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    lower.strip_prefix("application/").map_or(lower.clone(), str::to_owned)
}

/// Who else is asked.
pub(super) fn enrich(rule: &Section) -> Enrich {
    let asked = rule.texts("enrich");
    Enrich { introspection: asked.contains(&"introspection"), userinfo: asked.contains(&"userinfo") }
}

/// Reports what cannot go together.
pub(super) fn check(own: &Section, methods: &[Method], credentials: &Credentials, providers: usize) {
    let has_access_token = methods.iter().any(|method| *method == Method::Bearer || method.is_grant());
    if own.has("credentials") && !methods.iter().any(|method| method.takes_access_tokens() || method.is_grant()) {
        let message = "is for what callers bring: methods has none of bearer, introspection, userinfo, refresh_token, \
                       password, client_credentials";
        own.problem("credentials", message);
    }
    if own.has("enrich") && !has_access_token {
        own.problem("enrich", "adds to JWT access tokens, and to those of grants: methods has no bearer");
    }
    if own.section("token").flag("introspect_jwt") && !has_access_token {
        own.problem("token", "has introspect_jwt without bearer: introspection alone asks about every token");
    }
    if providers > 1
        && let Some(other) = methods.iter().find(|method| !matches!(method, Method::Bearer | Method::GatewayToken))
    {
        let why = match other {
            Method::Introspection | Method::Userinfo => "an opaque token does not say who issued it",
            other if other.is_grant() => "a credential goes to one provider and no other",
            _ => "a login has one provider",
        };
        own.problem("provider", format!("is a list, which is for bearer alone, beside {}: {why}", other.name()));
    }
    let strength = own.section("token");
    let says_strength = |method: &Method| *method != Method::Userinfo;
    if (strength.has("acr_values") || strength.has("max_age")) && !methods.iter().any(says_strength) {
        own.problem("token", "asks how the user authenticated, of which userinfo says nothing");
    }
    let mut names: Vec<String> = Vec::new();
    for place in credentials.bearer.iter().chain(&credentials.refresh_token) {
        if let Place::Header(name) = place {
            let name = spelled(name);
            if names.contains(&name) {
                own.problem("credentials", "names a header twice (- and _ are the same to many services)");
            }
            names.push(name);
        }
    }
}
