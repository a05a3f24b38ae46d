//! Pieces of HTTP: URLs, hosts, paths, cookies, forms, header values.

mod authority;
pub mod path;
mod url;

pub use authority::host;
pub use url::{Scheme, Url, UrlError};
