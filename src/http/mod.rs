//! Pieces of HTTP: URLs, paths, cookies, forms, header values.

pub mod authority;
pub mod cookie;
pub mod form;
pub mod navigation;
pub mod path;
pub mod text;
mod url;

pub use url::{Scheme, Url, UrlError};
