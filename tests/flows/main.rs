//! Whole flows through `exchange::decide`: a browser, the filter, and a provider that plays by the rules until a test says
//! otherwise. Nothing but time and the network is played.

mod callback;
mod callback_forms;
mod headers;
mod id_token;
mod login;
mod login_start;
mod open_redirect;
mod outage;
mod pages;
mod paths;
mod policy;
mod provider_faults;
mod rate_limit;
mod reasons;
mod sessions;
mod suite;
mod support;
mod workers;
