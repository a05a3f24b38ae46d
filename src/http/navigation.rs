//! Whether a person sees the answer to a request, or a program does (Fetch Metadata Request Headers).

use crate::words::Request;

/// Who waits for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A browser that loads a page in a window of its own: it may be sent to log in.
    PageLoad,
    /// A browser that loads something else, a script of a page, or an API client.
    Background,
}

/// Tells page loads from all else. In doubt it is no page load: a redirect there helps nobody.
pub fn audience(request: &Request) -> Audience {
    let header = |name| request.headers.text(name).unwrap_or_default();
    if !matches!(request.method(), Some("GET" | "HEAD")) || !header("x-requested-with").is_empty() {
        return Audience::Background;
    }
    if !header("upgrade").is_empty() || header("sec-purpose").contains("prefetch") || header("purpose") == "prefetch" {
        return Audience::Background;
    }
    let (mode, destination) = (header("sec-fetch-mode"), header("sec-fetch-dest"));
    let page = match (mode, destination) {
        ("", "") => prefers_html(header("accept")),
        ("navigate", "document" | "") => true,
        _ => false,
    };
    if page { Audience::PageLoad } else { Audience::Background }
}

/// Whether no other site can have caused the request (conformance Q4). Where a browser says nothing of that, a form that was
/// posted has the origin of its page, and a link may stand anywhere.
pub fn is_from_here(request: &Request, origin: &str) -> bool {
    match request.headers.text("sec-fetch-site") {
        Some(site) => matches!(site, "same-origin" | "none"),
        None if matches!(request.method(), Some("GET" | "HEAD")) => false,
        None => request.headers.one("origin").is_ok_and(|sent| sent.is_none_or(|sent| sent == origin.as_bytes())),
    }
}

/// Whether an `Accept` field names HTML outright; `*/*` alone is what programs send.
pub fn prefers_html(accept: &str) -> bool {
    accept.split(',').any(|range| {
        let (essence, parameters) = range.split_once(';').unwrap_or((range, ""));
        let essence = essence.trim();
        let named = essence.eq_ignore_ascii_case("text/html") || essence.eq_ignore_ascii_case("application/xhtml+xml");
        named
            && !parameters
                .split(';')
                .any(|parameter| matches!(parameter.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Headers;

    const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

    fn audience_of(method: &str, headers: &[(&str, &str)]) -> Audience {
        let method = [(":method", method)];
        audience(&Request::new(Headers::from_pairs(method.iter().chain(headers).copied())))
    }

    #[test]
    fn a_browser_s_navigation_is_a_page_load() {
        let document = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("accept", HTML)];
        assert_eq!(audience_of("GET", &document), Audience::PageLoad);
        assert_eq!(audience_of("GET", &[("accept", HTML)]), Audience::PageLoad);
    }

    // O07, O08, O09: none of these may begin a login.
    #[test]
    fn everything_else_is_not() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("POST", &[("accept", HTML)]),
            ("PUT", &[("accept", HTML)]),
            ("GET", &[]),
            ("GET", &[("accept", "*/*")]),
            ("GET", &[("accept", "application/json")]),
            ("GET", &[("accept", "text/event-stream")]),
            ("GET", &[("accept", "text/html;q=0, application/json")]),
            ("GET", &[("accept", HTML), ("x-requested-with", "XMLHttpRequest")]),
            ("GET", &[("accept", HTML), ("upgrade", "websocket")]),
            ("GET", &[("accept", HTML), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")]),
            ("GET", &[("accept", HTML), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")]),
            ("GET", &[("accept", HTML), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]),
            ("GET", &[("accept", HTML), ("sec-fetch-dest", "script")]),
            ("GET", &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-purpose", "prefetch")]),
        ];
        for (method, headers) in cases {
            assert_eq!(audience_of(method, headers), Audience::Background, "{method} {headers:?}");
        }
    }
}
