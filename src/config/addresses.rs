//! URLs and names of header fields, as the configuration may give them.

use crate::http::{Scheme, Url};

/// Whether `http` is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlainHttp {
    /// Never.
    Refused,
    /// On loopback hosts (`allow_http`).
    OnLoopback,
}

impl PlainHttp {
    /// What a provider's `allow_http` says.
    pub fn allowed(allow_http: bool) -> Self {
        if allow_http { Self::OnLoopback } else { Self::Refused }
    }
}

/// An absolute URL that is `https`, or `http` where that is taken; else the sentence that says what is wrong.
pub(super) fn url(text: &str, http: PlainHttp) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match (url.scheme(), http, url.is_loopback()) {
        (Scheme::Https, _, _) | (Scheme::Http, PlainHttp::OnLoopback, true) => Ok(url),
        (Scheme::Http, PlainHttp::OnLoopback, false) => {
            Err("is http on a host that is not loopback: allow_http is for localhost, 127.0.0.1 and [::1] alone".into())
        }
        (Scheme::Http, PlainHttp::Refused, _) => {
            Err("is http: write https (http is for tests, on loopback, with allow_http: true)".into())
        }
    }
}

/// Header fields that belong to HTTP and to the proxy; nobody configures their values (attack H12).
const OWNED_BY_HTTP: [&str; 22] = [
    "host",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "proxy-authenticate",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "cookie",
    "set-cookie",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-client-cert",
    "x-request-id",
];

/// The name of a header field in lower case; else the sentence that says why it cannot be one.
pub(super) fn header_name(name: &str) -> Result<String, String> {
    if !is_token(name) || name.len() > 128 {
        return Err("is not a header name: letters, digits and - (RFC 9110 §5.1)".into());
    }
    let name = name.to_ascii_lowercase();
    let spelled = name.replace('_', "-");
    if OWNED_BY_HTTP.contains(&spelled.as_str()) || spelled.starts_with("x-envoy-") {
        return Err(format!("the header {name} belongs to HTTP or to the proxy and cannot be set"));
    }
    Ok(name)
}

/// The name of a header field that we may add to an answer, in lower case.
pub(super) fn response_header_name(name: &str) -> Result<String, String> {
    let name = header_name(name)?;
    match name.as_str() {
        "location"
        | "content-type"
        | "cache-control"
        | "www-authenticate"
        | "retry-after"
        | "content-security-policy"
        | "date"
        | "vary" => Err(format!("the header {name} means something else in an answer")),
        _ => Ok(name),
    }
}

/// A token (RFC 9110 §5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
}

/// Text that may be a header field's value (RFC 9110 §5.5): visible ASCII and spaces inside.
pub(super) fn is_field_value(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') && text.trim_ascii().len() == text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_loopback_alone() {
        assert!(url("https://idp.example.com", PlainHttp::Refused).is_ok());
        assert!(url("http://localhost:8080/x", PlainHttp::OnLoopback).is_ok());
        assert!(url("http://localhost:8080/x", PlainHttp::Refused).unwrap_err().starts_with("is http: write https"));
        assert!(url("http://idp.example.com", PlainHttp::OnLoopback).unwrap_err().contains("not loopback"));
        assert!(url("idp.example.com", PlainHttp::OnLoopback).unwrap_err().contains("not an absolute URL"));
    }

    /// H12.
    #[test]
    fn headers_of_http_and_of_the_proxy_are_refused() {
        let wrong = [
            "host",
            "Host",
            ":path",
            "content-length",
            "Content_Length",
            "transfer-encoding",
            "connection",
            "te",
            "upgrade",
            "cookie",
            "set-cookie",
            "x-envoy-original-path",
            "X_Envoy_Foo",
            "",
            "a b",
            "ä",
            "a:b",
            "a\n",
        ];
        for name in wrong {
            assert!(header_name(name).is_err(), "{name:?}");
        }
        assert_eq!(header_name("X-User").as_deref(), Ok("x-user"));
        assert_eq!(header_name("x_user").as_deref(), Ok("x_user"));
    }
}
