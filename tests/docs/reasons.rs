//! The list of reason codes, as Markdown.

use oidc_proxy_wasm::words::{Blame, Reason};

const HEAD: &str = "\
# Reasons

Every answer that the filter gives itself carries one of these codes: in the log line, in a metric, and, where
`observability.reason_header` names one, in a response header. Codes are stable. The status is that of the plain answer;
`errors` may turn it into a redirect for browsers.

This page is printed from the code by `UPDATE_DOCS=1 cargo test --test docs`; a test compares them.
";

/// Who has to act, in the order of the page.
const SECTIONS: [(Blame, &str); 5] = [
    (Blame::Nobody, "Nobody has to act: a flow goes on"),
    (Blame::Caller, "Who sent the request has to act"),
    (Blame::Provider, "The identity provider has to act"),
    (Blame::Operator, "Who configured the proxy or the client has to act"),
    (Blame::Us, "The filter or its host was at its limit"),
];

/// The page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for (blame, title) in SECTIONS {
        page.push_str(&format!("\n## {title}\n\n| code | status | meaning |\n|---|---|---|\n"));
        for reason in Reason::ALL.iter().filter(|reason| reason.blame() == blame) {
            let meaning = reason.meaning().trim().replace('|', "\\|");
            page.push_str(&format!("| `{}` | {} | {meaning} |\n", reason.code(), reason.status()));
        }
    }
    page
}

#[test]
fn the_page_has_every_reason() {
    let page = page();
    for reason in Reason::ALL {
        assert!(page.contains(&format!("| `{}` |", reason.code())), "{reason}");
    }
}
