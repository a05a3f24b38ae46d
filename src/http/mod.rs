//! Pieces of HTTP: URLs, paths, cookies, forms, header values.

mod authority;
pub mod basic;
mod bytes;
pub mod cookie;
pub mod form;
pub mod navigation;
pub mod page;
pub mod path;
pub mod protobuf;
pub mod text;
mod url;
pub mod well_known;

pub use authority::host;
pub use bytes::Bytes;
pub use url::{Scheme, Url, UrlError};
