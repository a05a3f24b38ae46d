//! A page of ours: one style, nothing loaded, nothing from outside but what was escaped (RFC 9700 §4.16).

use crate::words::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("page.css");

/// What a page may do beyond being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May<'a> {
    /// Nothing.
    Nothing,
    /// Its form may be sent, also by this script.
    Send { script: &'a str },
    /// Pages of this origin may have it in a frame.
    BeFramedBy(&'a str),
}

/// The page with this title and `main`, which is HTML.
pub fn page(status: u16, title: &str, main: &str, may: May<'_>) -> Response {
    let script = match may {
        May::Send { script } if !script.is_empty() => format!("<script>{script}</script>"),
        _ => String::new(),
    };
    let body = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main>{main}</main>{script}</body></html>\n"
    );
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let mut policy = format!("default-src 'none'; style-src 'sha256-{}'; base-uri 'none'", hash(STYLE));
    match may {
        May::Nothing => policy.push_str("; form-action 'none'; frame-ancestors 'none'"),
        // Browsers hold redirects to `form-action` too, and where the provider sends on to is its own affair.
        May::Send { script } => {
            policy.push_str(&format!("; script-src 'sha256-{}'; frame-ancestors 'none'", hash(script)));
        }
        May::BeFramedBy(origin) => policy.push_str(&format!("; form-action 'none'; frame-ancestors {origin}")),
    }
    Response { body, ..Response::new(status) }
        .with("content-type", "text/html; charset=utf-8")
        .with("content-security-policy", policy)
        .with("x-content-type-options", "nosniff")
}
