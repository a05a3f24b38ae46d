//! Reads how people log out under a rule.

use super::addresses::{self, PlainHttp};
use super::matching;
use super::section::Section;
use super::{Login, Logout};

/// Reads `logout` of a rule; `None` where it has none. Without a login there is nothing to log out of, and what `defaults` says
/// of it does not count.
pub(super) fn read(own: &Section, rule: &Section, login: Option<&Login>) -> Option<Logout> {
    rule.value("logout")?.as_object()?;
    if login.is_none() {
        if own.has("logout") {
            own.problem("logout", "needs a login: methods has no authorization_code");
        }
        return None;
    }
    let section = rule.section("logout");
    let path = |key| matching::canonical(&section, key, section.text(key)?);
    let uri = section.text("post_logout_redirect_uri").and_then(|text| {
        let checked = addresses::url(text, PlainHttp::OnLoopback);
        checked.map_err(|message| section.problem("post_logout_redirect_uri", message)).ok()
    });
    let logout = Logout {
        path: path("path"),
        methods: section.owned_texts("methods"),
        all_sessions: section.flag("all_sessions"),
        revoke: section.flag("revoke"),
        end_session: section.flag("end_session"),
        params: section.text_map("params"),
        hint: section.claim_path("hint"),
        post_logout_redirect_uri: uri,
        return_parameter: section.owned("return_parameter")?,
        landing_path: path("landing_path"),
        front_channel_path: path("front_channel_path"),
        back_channel_path: path("back_channel_path"),
        require_type: section.flag("require_type"),
        require_exp: section.flag("require_exp"),
    };
    check(&section, &logout);
    Some(logout)
}

fn check(section: &Section, logout: &Logout) {
    let paths = ["path", "landing_path", "front_channel_path", "back_channel_path"];
    if paths.iter().all(|key| !section.has(key)) {
        section.problem_here("names none of path, front_channel_path and back_channel_path, and so does nothing");
    }
    if logout.path.is_none() {
        for key in ["landing_path", "post_logout_redirect_uri", "all_sessions", "params", "hint"] {
            if section.has(key) {
                section.problem(key, "is for logouts that begin here, and there is no path");
            }
        }
    }
    if !logout.end_session {
        for key in ["landing_path", "params", "hint", "return_parameter"] {
            if section.has(key) {
                section.problem(key, "is for the logout at the provider, which end_session: false leaves out");
            }
        }
    }
}
