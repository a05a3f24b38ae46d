//! Reads our registration at a provider.

use super::section::Section;
use super::{Client, ClientAuthentication, ClientKey, SignedSecret, secrets};
use crate::words::Algorithm;
use ClientAuthentication as By;

/// The registration; `None` when something that cannot be left out was wrong, which is then reported.
pub(super) fn read(section: &Section) -> Option<Client> {
    if !section.has("client") {
        return Some(Client::unregistered());
    }
    let client = section.section("client");
    let method = |key| client.text(key).and_then(By::from_name);
    let authentication = method("token_endpoint_auth_method")?;
    let given = client.value("client_secret");
    let client_secret = given.and_then(|value| secrets::read(section.context, value, &client.at("client_secret")));
    let algorithm = |key: &str| client.text(key).and_then(Algorithm::from_name);
    let read = Client {
        client_id: client.owned("client_id")?,
        client_secret,
        signed_secret: read_signed_secret(&client),
        authentication,
        introspection_authentication: method("introspection_endpoint_auth_method").unwrap_or(authentication),
        revocation_authentication: method("revocation_endpoint_auth_method").unwrap_or(authentication),
        keys: read_keys(&client),
        signing_alg: algorithm("token_endpoint_auth_signing_alg"),
        assertion_audience: client.owned("assertion_audience"),
        assertion_typ: client.owned("assertion_typ")?,
        id_token_signed_response_alg: algorithm("id_token_signed_response_alg"),
        introspection_signed_response_alg: algorithm("introspection_signed_response_alg"),
    };
    check_secret(section, &client, &read);
    check_keys(section, &client, &read);
    check_assertions(&client, &read);
    Some(read)
}

fn read_signed_secret(client: &Section) -> Option<SignedSecret> {
    client.value("signed_secret")?;
    let signed = client.section("signed_secret");
    Some(SignedSecret {
        issuer: signed.owned("issuer")?,
        audience: signed.owned("audience")?,
        kid: signed.owned("kid"),
    })
}

fn read_keys(client: &Section) -> Vec<ClientKey> {
    let one = client.value("jwk").map(|value| ("jwk".to_owned(), value));
    let several = client.items("jwks").iter().enumerate().map(|(place, value)| (format!("jwks[{place}]"), value));
    let keys = one.into_iter().chain(several).filter_map(|(place, value)| {
        let text = secrets::read_key(client.context, value, &client.at(&place))?;
        Some(ClientKey { place, text })
    });
    keys.collect()
}

fn check_secret(section: &Section, client: &Section, read: &Client) {
    let (key, has_secret) = ("client_secret", client.has("client_secret"));
    let methods = read.authentications();
    let takes = methods.iter().find(|method| method.needs_secret());
    if client.has("signed_secret") {
        if has_secret {
            client.problem(key, "contradicts signed_secret, which is sent in its place");
        }
        if methods != [By::Post; 3] {
            let message = "is sent as it stands, in the body: say token_endpoint_auth_method: client_secret_post";
            client.problem("signed_secret", message);
        }
        return;
    }
    match takes {
        Some(By::SecretJwt) if !has_secret => client.problem(key, "is missing: client_secret_jwt signs with it"),
        Some(_) if !has_secret => {
            client.problem(key, "is missing; a public client, which has none, says token_endpoint_auth_method: none");
        }
        None if has_secret && read.authentication == By::None => {
            client.problem(key, "contradicts token_endpoint_auth_method: none, which is a client without one")
        }
        None if has_secret && !section.texts("signing_algs").iter().any(|name| name.starts_with("HS")) => {
            let message = format!("is of no use: {} sends none. Take it out", read.authentication.name());
            client.problem(key, message);
        }
        _ => {}
    }
}

fn check_keys(section: &Section, client: &Section, read: &Client) {
    let signs = read.authentications().contains(&By::PrivateKeyJwt);
    let given = ["jwk", "jwks"].into_iter().find(|key| client.has(key));
    if client.has("jwk") && client.has("jwks") {
        client.problem("jwks", "stands beside jwk: put all keys into jwks, the one that signs first");
    }
    match given {
        None if signs => client.problem("jwk", "is missing: private_key_jwt signs with it"),
        None if client.has("signed_secret") => client.problem("jwk", "is missing: signed_secret is signed with it"),
        None if section.has("jwks_path") => {
            section.problem("jwks_path", "has no key to show: client has neither jwk nor jwks");
        }
        Some(key) if !signs && !client.has("signed_secret") => {
            client.problem(key, "is of no use: nothing is signed with it but private_key_jwt and signed_secret");
        }
        _ => {}
    }
}

fn check_assertions(client: &Section, read: &Client) {
    let has = |method: By| read.authentications().contains(&method);
    let key = "token_endpoint_auth_signing_alg";
    match read.signing_alg {
        Some(algorithm) if algorithm.is_symmetric() && !has(By::SecretJwt) => {
            client.problem(key, format!("{} is for client_secret_jwt alone", algorithm.name()));
        }
        Some(algorithm) if !algorithm.is_symmetric() && !has(By::PrivateKeyJwt) && !client.has("signed_secret") => {
            client.problem(key, format!("{} is for private_key_jwt and signed_secret alone", algorithm.name()));
        }
        _ => {}
    }
    for key in ["assertion_audience", "assertion_typ"] {
        if client.has(key) && !has(By::SecretJwt) && !has(By::PrivateKeyJwt) {
            client.problem(key, "is for private_key_jwt and client_secret_jwt, and neither is said");
        }
    }
    if let (true, Some(secret)) = (has(By::SecretJwt), &read.client_secret) {
        let algorithm = read.signing_alg.filter(|algorithm| algorithm.is_symmetric()).unwrap_or(Algorithm::Hs256);
        if secret.len() < secrets::least_for(algorithm) {
            let (found, needed) = (secret.len(), secrets::least_for(algorithm));
            client.problem("client_secret", format!("{found} bytes, needs {needed} for {}", algorithm.name()));
        }
    }
}
