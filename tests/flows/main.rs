//! Whole flows through `exchange::decide`: a browser, the filter, and a provider that plays by the rules until a test says
//! otherwise. Nothing but time and the network is played.

mod bearer;
mod callback;
mod callback_forms;
mod challenges;
mod credentials;
mod headers;
mod id_token;
mod introspection;
mod login;
mod login_start;
mod open_redirect;
mod order;
mod outage;
mod pages;
mod paths;
mod policy;
mod provider_faults;
mod rate_limit;
mod reasons;
mod report;
mod resource_metadata;
mod sessions;
mod several_providers;
mod step_up;
mod store;
mod suite;
mod support;
mod userinfo_check;
mod workers;
