//! What of the suite is run, and how each module is to end.

/// A test plan with one choice of its variants.
pub struct Plan {
    /// As the suite names it.
    pub name: &'static str,
    /// How the client authenticates.
    pub client_auth: &'static str,
    /// What else must be chosen, which the plan itself leaves open.
    pub variants: &'static [(&'static str, &'static str)],
    /// The modules that are run; all of them when this is empty.
    only: &'static [&'static str],
}

impl Plan {
    /// Whether a module of this plan is run.
    pub fn holds(&self, module: &str) -> bool {
        self.only.is_empty() || self.only.contains(&module)
    }

    /// Whether the plan is about answers by `form_post`.
    pub fn is_by_form_post(&self) -> bool {
        self.name.contains("formpost") || self.variants.contains(&("response_mode", "form_post"))
    }

    const fn new(name: &'static str, client_auth: &'static str, variants: &'static [(&str, &str)]) -> Plan {
        Plan { name, client_auth, variants, only: &[] }
    }
}

const BASIC: &str = "client_secret_basic";
const MODE: &[(&str, &str)] = &[("response_mode", "default")];
const BOTH: &[(&str, &str)] = &[("response_type", "code"), ("response_mode", "default")];
const FORM: &[(&str, &str)] = &[("response_type", "code"), ("response_mode", "form_post")];

/// The plans of the certification programme for the code flow with static clients, then what the whole set of modules has
/// besides: the other ways to authenticate, and what nobody is certified for.
pub const PLANS: &[Plan] = &[
    Plan::new("oidcc-client-basic-certification-test-plan", BASIC, &[]),
    Plan::new("oidcc-client-config-certification-test-plan", BASIC, MODE),
    Plan::new("oidcc-client-formpost-basic-certification-test-plan", BASIC, &[]),
    Plan::new("oidcc-client-rp-initiated-logout-rp-basic", BASIC, MODE),
    Plan::new("oidcc-client-back-channel-logout-rp-basic", BASIC, MODE),
    Plan::new("oidcc-client-front-channel-logout-rp-basic", BASIC, MODE),
    Plan::new("oidcc-client-test-3rd-party-init-login-test-plan", BASIC, BOTH),
    Plan::new("oidcc-client-refreshtoken-test-plan", BASIC, BOTH),
    Plan {
        only: &["oidcc-client-test-rp-frontchannel-opinitlogout"],
        ..Plan::new("oidcc-client-logout-test-plan", BASIC, BOTH)
    },
    Plan { only: &["oidcc-client-test-form-post-error"], ..Plan::new("oidcc-client-test-plan", BASIC, FORM) },
    Plan::new("oidcc-client-test-plan", BASIC, BOTH),
    Plan { only: &["oidcc-client-test"], ..Plan::new("oidcc-client-test-plan", "client_secret_post", BOTH) },
    Plan { only: &["oidcc-client-test"], ..Plan::new("oidcc-client-test-plan", "client_secret_jwt", BOTH) },
    Plan { only: &["oidcc-client-test"], ..Plan::new("oidcc-client-test-plan", "private_key_jwt", BOTH) },
    Plan { only: &["oidcc-client-test"], ..Plan::new("oidcc-client-test-plan", "none", BOTH) },
];

/// What a person does in a module.
#[derive(Clone, Copy, PartialEq)]
pub enum Wish {
    /// Nobody comes: the suite waits for what the filter asks by itself when it starts.
    Nothing,
    /// Logs in and comes back for a second page.
    LogIn,
    /// Two people log in one after the other.
    LogInTwice,
    /// Logs in, or is refused with this reason code: the suite takes either.
    MayLogIn(&'static str),
    /// Tries to log in and is refused with this reason code.
    BeRefused(&'static str),
    /// The same without being asked anything, as the address that they open says: `prompt=none`.
    BeRefusedInSilence(&'static str),
    /// Logs in where the suite's page begins it.
    LogInFromElsewhere,
    /// Logs in and out.
    LogOut,
    /// Logs in, and out at the provider.
    LogOutElsewhere,
    /// Logs in and stays until the tokens are renewed.
    Stay,
    /// The same, and is refused with this reason code.
    StayAndBeRefused(&'static str),
}

/// What a person does in this module.
pub fn wish(module: &str) -> Wish {
    match module.strip_prefix("oidcc-client-test-").unwrap_or_default() {
        "3rd-party-init-login" => Wish::LogInFromElsewhere,
        "discovery-jwks-uri-keys" | "discovery-openid-config" => Wish::Nothing,
        "discovery-issuer-mismatch" => Wish::BeRefused("discovery_issuer_mismatch"),
        "form-post-error" => Wish::BeRefusedInSilence("provider_error"),
        "idtoken-sig-none" => Wish::BeRefused("id_token_algorithm"),
        "invalid-athash" => Wish::BeRefused("access_token_hash"),
        "invalid-aud" => Wish::BeRefused("id_token_audience"),
        "invalid-iss" => Wish::BeRefused("id_token_issuer"),
        "invalid-sig-es256" | "invalid-sig-rs256" => Wish::BeRefused("id_token_signature"),
        "invalid-sig-hs256" => Wish::BeRefused("id_token_algorithm"),
        "kid-absent-multiple-jwks" => Wish::MayLogIn("id_token_key_unknown"),
        "missing-aud" | "missing-iat" | "missing-sub" => Wish::BeRefused("id_token_claims"),
        "nonce-invalid" => Wish::BeRefused("nonce_mismatch"),
        "refresh-token" => Wish::Stay,
        "refresh-token-invalid-issuer" | "refresh-token-invalid-sub" => Wish::StayAndBeRefused("refresh_invalid"),
        "rp-frontchannel-opinitlogout" => Wish::LogOutElsewhere,
        "signing-key-rotation" => Wish::LogInTwice,
        "userinfo-invalid-sub" => Wish::BeRefused("userinfo_subject_mismatch"),
        logout if logout.contains("logout") => Wish::LogOut,
        _ => Wish::LogIn,
    }
}

/// Why a module is not run: it tests something that the filter does not offer.
pub fn not_ours(module: &str) -> Option<&'static str> {
    match module.strip_prefix("oidcc-client-test-").unwrap_or_default() {
        "discovery-webfinger-acct" | "discovery-webfinger-url" => {
            Some("issuers are configured, not found by WebFinger")
        }
        "distributed-claims" => Some("claims that lie elsewhere are not fetched (OIDC Core §5.6.2)"),
        "userinfo-bearer-body" => Some("the access token goes to userinfo in a header (RFC 6750 §2.1)"),
        "userinfo-signed" => Some("userinfo is taken as JSON, not signed"),
        _ => None,
    }
}

/// Why a module that has failed before anybody came says nothing of us.
pub fn fault_of_the_suite(module: &str) -> Option<&'static str> {
    // Until 5.2.4 at least.
    let begins_early = module == "oidcc-client-test-3rd-party-init-login";
    begins_early.then_some("the suite begins it before a static client is configured, and trips over that")
}
