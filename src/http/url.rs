//! Absolute `http` and `https` URLs (RFC 3986, RFC 9110 §4.2), no more of them than we need.

use super::authority;
use std::fmt;
use std::net::Ipv4Addr;

/// The longest URL that is taken, in bytes.
const MAX_LENGTH: usize = 8192;

/// An absolute URL without user information and fragment.
///
/// It has one spelling: scheme and host in lower case, no default port, and a path of at least `/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Url {
    text: String,
    scheme: Scheme,
    host: String,
    port: Option<u16>,
    target_at: usize,
}

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`.
    Http,
    /// `https`.
    Https,
}

/// What is wrong with a text that should be a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// More than 8192 bytes.
    TooLong,
    /// Neither `http://` nor `https://` in front.
    NotAbsolute,
    /// A user name or password before the host.
    UserInformation,
    /// A `#` and what follows.
    Fragment,
    /// Whitespace, a control character, a backslash, or anything else that a URL has only escaped.
    Character,
    /// A `%` without two hexadecimal digits.
    Escape,
    /// No host, no valid one, or no valid port.
    Host,
}

impl Url {
    /// Parses an absolute URL, strictly: nothing is trimmed, escaped or guessed.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.len() > MAX_LENGTH {
            return Err(UrlError::TooLong);
        }
        let (scheme, rest) = split_scheme(text).ok_or(UrlError::NotAbsolute)?;
        check_characters(rest)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).ok_or(UrlError::Character)?;
        if authority.contains('@') {
            return Err(UrlError::UserInformation);
        }
        let (host, port) = authority::host(authority).ok_or(UrlError::Host)?;
        // A name with a trailing dot is another name to TLS and to cookies (RFC 6066 §3).
        if authority.contains('[') != host.starts_with('[') || has_trailing_dot(authority) {
            return Err(UrlError::Host);
        }
        Ok(Self::assemble(scheme, host.into_owned(), port.filter(|port| *port != scheme.default_port()), target))
    }

    fn assemble(scheme: Scheme, host: String, port: Option<u16>, target: &str) -> Self {
        let mut text = format!("{}://{host}", scheme.as_str());
        if let Some(port) = port {
            text.push_str(&format!(":{port}"));
        }
        let target_at = text.len();
        if !target.starts_with('/') {
            text.push('/');
        }
        text.push_str(target);
        Self { text, scheme, host, port, target_at }
    }

    /// The whole URL.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, in lower case, without port; an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, where it is not the scheme's own.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port that is connected to.
    pub fn effective_port(&self) -> u16 {
        self.port.unwrap_or(self.scheme.default_port())
    }

    /// Host and, where it is not the scheme's own, port.
    pub fn authority(&self) -> &str {
        self.origin().split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Scheme and authority (RFC 6454 §6.2).
    pub fn origin(&self) -> &str {
        self.text.get(..self.target_at).unwrap_or_default()
    }

    /// Path and query; at least `/`.
    pub fn target(&self) -> &str {
        self.text.get(self.target_at..).unwrap_or("/")
    }

    /// The path without its query; at least `/`.
    pub fn path(&self) -> &str {
        self.target().split('?').next().unwrap_or("/")
    }

    /// The query without its `?`.
    pub fn query(&self) -> Option<&str> {
        self.target().split_once('?').map(|(_, query)| query)
    }

    /// Whether the host is this machine by its name or address (RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host.ends_with(".localhost")
            || host == "[::1]"
            || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Scheme {
    /// The scheme as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "is longer than 8192 bytes",
            Self::NotAbsolute => "is not an absolute URL with https://",
            Self::UserInformation => "has a user name before the host",
            Self::Fragment => "has a fragment (#)",
            Self::Character => "has a character that URLs do not have",
            Self::Escape => "has a % without two hexadecimal digits",
            Self::Host => "has no valid host and port",
        })
    }
}

fn split_scheme(text: &str) -> Option<(Scheme, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    [Scheme::Http, Scheme::Https]
        .into_iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(scheme))
        .map(|known| (known, rest))
}

/// Everything after the scheme has only characters of RFC 3986 §2, and whole escapes.
fn check_characters(rest: &str) -> Result<(), UrlError> {
    let mut bytes = rest.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'#' => return Err(UrlError::Fragment),
            b'%' => {
                let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
                if !hex(bytes.next()) || !hex(bytes.next()) {
                    return Err(UrlError::Escape);
                }
            }
            _ if byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=".contains(&byte) => {}
            _ => return Err(UrlError::Character),
        }
    }
    Ok(())
}

fn has_trailing_dot(authority: &str) -> bool {
    authority.split(':').next().is_some_and(|name| name.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_url_has_its_parts() {
        let url = url("https://idp.example.com:8443/realms/main?x=1&y=%C3%A4");
        assert_eq!(url.scheme(), Scheme::Https);
        assert_eq!((url.host(), url.port(), url.effective_port()), ("idp.example.com", Some(8443), 8443));
        assert_eq!(url.authority(), "idp.example.com:8443");
        assert_eq!(url.origin(), "https://idp.example.com:8443");
        assert_eq!(url.target(), "/realms/main?x=1&y=%C3%A4");
        assert_eq!((url.path(), url.query()), ("/realms/main", Some("x=1&y=%C3%A4")));
    }

    #[test]
    fn spellings_of_one_url_are_equal() {
        assert_eq!(url("HTTPS://A.Example:443").as_str(), "https://a.example/");
        assert_eq!(url("https://a.example?x").as_str(), "https://a.example/?x");
        assert_eq!(url("http://a:80/"), url("http://a"));
        assert_ne!(url("http://a:443/"), url("https://a/"));
        assert_eq!(url("http://[0::1]:8080/x").as_str(), "http://[::1]:8080/x");
    }

    #[test]
    fn each_defect_has_its_error() {
        let wrong = [
            ("", UrlError::NotAbsolute),
            ("/path", UrlError::NotAbsolute),
            ("//host/path", UrlError::NotAbsolute),
            ("https:/host", UrlError::NotAbsolute),
            (" https://host", UrlError::NotAbsolute),
            ("javascript://host", UrlError::NotAbsolute),
            ("https://user@host/", UrlError::UserInformation),
            ("https://user:pw@host/", UrlError::UserInformation),
            ("https://host/#", UrlError::Fragment),
            ("https://host#x", UrlError::Fragment),
            ("https://host/a b", UrlError::Character),
            ("https://host\\@evil/", UrlError::Character),
            ("https://host/\n", UrlError::Character),
            ("https://host/ä", UrlError::Character),
            ("https://host/%", UrlError::Escape),
            ("https://host/%2", UrlError::Escape),
            ("https://host/%zz", UrlError::Escape),
            ("https://", UrlError::Host),
            ("https:///path", UrlError::Host),
            ("https://host:/", UrlError::Host),
            ("https://host:65536/", UrlError::Host),
            ("https://host./", UrlError::Host),
            ("https://host.:8080/", UrlError::Host),
            ("https://127.1/", UrlError::Host),
            ("https://a%2eb/", UrlError::Host),
        ];
        for (text, error) in wrong {
            assert_eq!(Url::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(Url::parse(&format!("https://host/{}", "x".repeat(8200))), Err(UrlError::TooLong));
        assert!(Url::parse("https://host/@x:y/%20").is_ok());
    }

    #[test]
    fn loopback_is_this_machine_alone() {
        for text in
            ["http://localhost:1/", "http://a.localhost", "http://127.0.0.1", "http://127.8.9.1", "http://[::1]"]
        {
            assert!(url(text).is_loopback(), "{text}");
        }
        let others =
            ["http://localhost.example", "http://xlocalhost", "http://128.0.0.1", "http://[::2]", "http://0.0.0.0"];
        for text in others {
            assert!(!url(text).is_loopback(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_parsed_parses_again_to_the_same(
            text in "[hH]ttps?://([a-zA-Z0-9_-]{1,9}\\.){0,3}[a-z]{1,5}(:[1-9][0-9]{0,3})?(/[a-zA-Z0-9._~@:-]{0,6}){0,3}(\\?[a-z=&/?]{0,9})?",
        ) {
            let once = Url::parse(&text).unwrap();
            prop_assert_eq!(&Url::parse(once.as_str()).unwrap(), &once);
            prop_assert_eq!(format!("{}{}", once.origin(), once.target()), once.as_str());
            prop_assert_eq!(format!("{}://{}", once.scheme().as_str(), once.authority()), once.origin());
        }

        #[test]
        fn no_text_makes_it_panic(text in "(https?://)?\\PC{0,40}") {
            if let Ok(url) = Url::parse(&text) {
                prop_assert_eq!(Url::parse(url.as_str()), Ok(url));
            }
        }
    }
}
