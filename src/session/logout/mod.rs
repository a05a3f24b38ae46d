//! The end of sessions: by the person (OIDC RP-Initiated Logout), and by the provider (Front-Channel and Back-Channel Logout).

mod back;
mod front;
mod landing;
mod local;

pub use back::back_channel;
pub use front::front_channel;
pub use landing::land;
pub use local::log_out;

use crate::words::{Reason, Response, Stop};

/// The answer with what must never be kept by anybody.
fn answered(response: Response, cookies: Vec<String>, reason: Reason) -> Stop {
    let response = response.with("cache-control", "no-store").with("referrer-policy", "no-referrer");
    let response = cookies.into_iter().fold(response, |response, line| response.with("set-cookie", line));
    Stop::answered(response, reason)
}
