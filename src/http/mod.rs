//! Pieces of HTTP: URLs, paths, cookies, forms, header values.

pub mod cookie;
pub mod form;
pub mod navigation;
pub mod text;
mod url;

pub use url::Url;
