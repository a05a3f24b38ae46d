//! What every floor says: requests, verdicts, reasons, secrets, time.

mod algorithm;
mod by_name;
mod by_number;
mod headers;
mod hex;
mod identity;
pub mod json;
mod reason;
mod request;
mod secret;
mod time;
mod verdict;

pub use algorithm::Algorithm;
pub use by_name::ByName;
pub use by_number::ByNumber;
pub use headers::{Headers, Looks, Repeated, folded};
pub use hex::hex;
pub use identity::{ClaimPath, Claims, Consumer, Identity, Method, Source, Sources};
pub use reason::{Blame, Reason};
pub use request::Request;
pub use secret::Secret;
pub use time::UnixTime;
pub use verdict::{Forward, HeaderEdits, Late, Refusal, Response, Stop, Verdict};
