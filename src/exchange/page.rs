//! What people and programs read when a request does not pass.

use crate::http::page::{May, page};
use crate::http::text;
use crate::words::json;
use crate::words::{Blame, Reason, Refusal, Response};

/// A page for a person: what happened, whose turn it is, where to begin again. Nothing on it comes from outside but the
/// request's id, and nothing is loaded for it.
pub fn html(refusal: &Refusal, request_id: &str) -> Response {
    let reason = refusal.reason;
    let (title, advice) = words(reason);
    let again = refusal
        .again()
        .map_or(String::new(), |url| format!("<p><a class=\"button\" href=\"{}\">Try again</a></p>", text::html(url)));
    let main = format!(
        "<p class=\"status\">{status}</p><h1>{title}</h1><p>{advice}</p>{again}\
         <dl><dt>Reason</dt><dd><code>{code}</code></dd><dt>Request</dt><dd><code>{id}</code></dd></dl>",
        status = reason.status(),
        code = reason.code(),
        id = text::html(request_id),
    );
    page(reason.status(), title, &main, May::Nothing)
}

/// The same for a program.
pub fn json(reason: Reason, request_id: &str) -> Response {
    let (title, _) = words(reason);
    let body =
        json::of(vec![("error", reason.code().into()), ("message", title.into()), ("request_id", request_id.into())]);
    let response = Response { body: format!("{body}\n"), ..Response::new(reason.status()) };
    response.with("content-type", "application/json").with("x-content-type-options", "nosniff")
}

/// A title, and what to do about it.
const fn words(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::LoginRequired => ("Login required", "Load this page in a browser window to log in."),
        Reason::LoginExpired => ("This login took too long", "Nothing is lost. Please begin again."),
        Reason::LoginUnknown | Reason::CallbackMalformed | Reason::CallbackWrongMode => (
            "This login cannot be finished",
            "The answer that came does not belong to a login in this browser. Please begin again, in one window.",
        ),
        Reason::LoginLoop => (
            "You were logged in, but it did not last",
            "This browser was logged in several times within a minute, and each time the session was lost. Please check \
             that it accepts cookies from this site. If it does, whoever runs this site will want to know.",
        ),
        Reason::LoginRefused => {
            ("The login was refused", "You, or a rule of your organisation, said no at the login page.")
        }
        Reason::LogoutElsewhere => {
            ("You were not logged out", "Another site asked for it. To log out, use the button or link of this site.")
        }
        Reason::NoRule => ("Not found", "There is nothing at this address."),
        Reason::PathAmbiguous | Reason::RequestMalformed => {
            ("This address cannot be used", "It can be read in more than one way. Please check how it is written.")
        }
        Reason::RateLimitUnavailable => {
            ("This page cannot be shown now", "Nothing is wrong with your account. Please try again in a moment.")
        }
        _ => by_blame(reason),
    }
}

const fn by_blame(reason: Reason) -> (&'static str, &'static str) {
    match (reason.status(), reason.blame()) {
        (403, _) => ("You may not see this page", "You are logged in, but your account lacks what this page asks for."),
        (429, _) => {
            ("Too many requests", "You have asked more often than is allowed. Please wait a little, and try again.")
        }
        (503, _) => (
            "The login service cannot be reached",
            "Your data is safe, and nothing is wrong with your account. Please try again in a moment.",
        ),
        (_, Blame::Provider) => (
            "The login did not succeed",
            "The login service sent an answer that cannot be trusted. Please try again; if it happens again, whoever runs \
             this site will want to know the reason below.",
        ),
        (_, Blame::Operator | Blame::Us) => (
            "This site is not set up right",
            "There is nothing that you can do about it. Whoever runs this site will want to know the reason below.",
        ),
        _ => ("This request cannot be answered", "Please check it and try again."),
    }
}
