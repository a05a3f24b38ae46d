//! Pieces of HTTP: URLs, paths, cookies, forms, header values.

mod url;

pub use url::Url;
