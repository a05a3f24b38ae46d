//! The stable codes that say why: one for every answer that is ours.

/// Who has to act for the next request to fare better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// Nobody: a step of a flow that goes well.
    Nobody,
    /// Who sent the request.
    Caller,
    /// The identity provider.
    Provider,
    /// Who configured the proxy or the client registration.
    Operator,
    /// This filter or its host.
    Us,
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident, $code:literal, $status:literal, $blame:ident;)+) => {
        /// Why a request got the answer that it got.
        ///
        /// The code is stable: it stands in the log line, in a metric, and, where configured, in a response header.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[doc = $doc])+ $variant,)+ }

        impl Reason {
            /// Every reason, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code: lower case, words joined by `_`.
            pub const fn code(self) -> &'static str { match self { $(Self::$variant => $code,)+ } }

            /// The status of an answer for this reason (RFC 9110 §15).
            pub const fn status(self) -> u16 { match self { $(Self::$variant => $status,)+ } }

            /// Who has to act.
            pub const fn blame(self) -> Blame { match self { $(Self::$variant => Blame::$blame,)+ } }

            /// What the code means, as the reference prints it.
            pub const fn meaning(self) -> &'static str { match self { $(Self::$variant => concat!($($doc),+),)+ } }
        }
    };
}

reasons! {
    /// A login began: the browser goes to the provider.
    LoginStarted, "login_started", 303, Nobody;
    /// A login ended well: the browser goes back to where it began.
    LoginDone, "login_done", 303, Nobody;
    /// A callback came again after its login had ended well: the browser goes where it would have gone.
    LoginDoneBefore, "login_done_before", 303, Nobody;
    /// A login ended well, and its tokens were given to whoever logged in (`login.action: tokens`).
    LoginTokens, "login_tokens", 200, Nobody;
    /// The resource's metadata were asked for (RFC 9728 §3).
    ResourceMetadata, "resource_metadata", 200, Nobody;
    /// The public half of our keys was asked for (RFC 7517 §5).
    ClientKeys, "client_keys", 200, Nobody;
    /// A web page asked who its user is, and until when.
    SessionInfo, "session_info", 200, Nobody;

    /// A logout began: the session is over here, and the browser goes to the provider, to end it there.
    LogoutStarted, "logout_started", 303, Nobody;
    /// A logout is done.
    LogoutDone, "logout_done", 200, Nobody;
    /// A browser landed as after a logout, and it began none lately, or another one.
    LogoutLanded, "logout_landed", 200, Nobody;
    /// Another site, or a link, leads to the logout: the person is asked.
    LogoutAsked, "logout_asked", 200, Nobody;
    /// The provider said in an iframe that a session has ended (Front-Channel Logout §2).
    LogoutHeard, "logout_heard", 200, Nobody;
    /// The provider said that sessions have ended, and they have (Back-Channel Logout §2.5).
    LogoutTold, "logout_told", 200, Nobody;
    /// The operator asked, and was told.
    OperatorServed, "operator_served", 200, Nobody;
    /// The gateway issued a token of its own (RFC 6749 §4.4).
    GatewayTokenIssued, "gateway_token_issued", 200, Nobody;
    /// The metadata of `gateway_tokens` were asked for (RFC 8414).
    GatewayMetadata, "gateway_metadata", 200, Nobody;
    /// A client asked about a token of the gateway's own, or gave one back (RFC 7662, RFC 7009).
    GatewayServed, "gateway_served", 200, Nobody;

    /// An endpoint of ours was asked with a method that it does not have.
    MethodNotAllowed, "method_not_allowed", 405, Caller;
    /// The request has no method, path or host, or one of them twice or not as text (RFC 9112 §3.2).
    RequestMalformed, "request_malformed", 400, Caller;
    /// The path means different things to different servers.
    PathAmbiguous, "path_ambiguous", 400, Caller;
    /// No rule matches; what no rule allows is denied.
    NoRule, "no_rule", 404, Caller;
    /// The rule lets nobody in (`allow: nobody`).
    RuleForbids, "rule_forbids", 403, Caller;
    /// A background request, or one whose method a redirect would lose, came without a session.
    LoginRequired, "login_required", 401, Caller;
    /// The scope that the rule requires was not granted.
    ScopeMissing, "scope_missing", 403, Caller;
    /// The caller is in none of the groups that the rule requires.
    GroupMissing, "group_missing", 403, Caller;
    /// The caller has none of the roles that the rule requires.
    RoleMissing, "role_missing", 403, Caller;
    /// A claim is not what the rule requires.
    ClaimRefused, "claim_refused", 403, Caller;
    /// None of the audiences that the rule requires is named (`require.audience`).
    AudienceMissing, "audience_missing", 403, Caller;
    /// The caller has a claim that the rule forbids.
    ClaimForbidden, "claim_forbidden", 403, Caller;
    /// The caller's email address is of no domain that the rule takes, or is not verified.
    EmailRefused, "email_refused", 403, Caller;
    /// The caller is in a group that the rule refuses.
    GroupDenied, "group_denied", 403, Caller;
    /// No consumer is known by the caller's claim, and the rule needs one.
    ConsumerUnknown, "consumer_unknown", 403, Caller;
    /// The caller has spent what the rule grants for now (RFC 6585 §4).
    RateLimited, "rate_limited", 429, Caller;

    /// The rule takes access tokens, and none came (RFC 6750 §3.1).
    AccessTokenRequired, "access_token_required", 401, Caller;
    /// A credential is not spelt as one, or one field that carries it came twice (RFC 6750 §2.1, §3.1).
    CredentialMalformed, "credential_malformed", 400, Caller;
    /// More than one access token came (RFC 6750 §2).
    CredentialRepeated, "credential_repeated", 400, Caller;
    /// The access token is no JWT that we take, and the rule takes no others (RFC 9068 §4).
    AccessTokenMalformed, "access_token_malformed", 401, Caller;
    /// The access token is signed with an algorithm that is not expected (RFC 8725 §3.1).
    AccessTokenAlgorithm, "access_token_algorithm", 401, Caller;
    /// The token is of another kind, such as an ID token, or no bearer token by its `token_type` (RFC 8725 §3.12).
    AccessTokenType, "access_token_type", 401, Caller;
    /// No published key fits the access token.
    AccessTokenKeyUnknown, "access_token_key_unknown", 401, Caller;
    /// The access token's signature is wrong.
    AccessTokenSignature, "access_token_signature", 401, Caller;
    /// The access token is of no issuer that the rule takes.
    AccessTokenIssuer, "access_token_issuer", 401, Caller;
    /// The access token is for somebody else (`aud`).
    AccessTokenAudience, "access_token_audience", 401, Caller;
    /// The access token's `exp` has passed.
    AccessTokenExpired, "access_token_expired", 401, Caller;
    /// The access token's `nbf` or `iat` lies in the future.
    AccessTokenNotYetValid, "access_token_not_yet_valid", 401, Caller;
    /// A claim that an access token must have is missing or of a wrong type (RFC 9068 §2.2).
    AccessTokenClaims, "access_token_claims", 401, Caller;
    /// The provider says that the access token is not active (RFC 7662 §2.2), or refuses it at userinfo.
    AccessTokenInactive, "access_token_inactive", 401, Caller;
    /// The access token was revoked here (`revocation.tokens`).
    AccessTokenRevoked, "access_token_revoked", 401, Caller;
    /// The provider does not give another token for the caller's (`token.exchange`, RFC 8693 §2.2.2).
    ExchangeRefused, "exchange_refused", 403, Caller;
    /// The token does not open, or comes from a client that is no longer configured (`gateway_tokens`).
    GatewayTokenUnreadable, "gateway_token_unreadable", 401, Caller;
    /// The access token is bound to a key or a certificate (`cnf`), which is not supported here yet.
    BindingUnsupported, "binding_unsupported", 401, Caller;
    /// The user authenticated in a weaker way than the rule asks for (`acr_values`, RFC 9470).
    AuthenticationWeak, "authentication_weak", 401, Caller;
    /// The user authenticated longer ago than the rule asks for (`max_age`, RFC 9470).
    AuthenticationOld, "authentication_old", 401, Caller;

    /// The rule takes refresh tokens, or names and secrets, and none came.
    CredentialRequired, "credential_required", 401, Caller;
    /// What came as Basic is not one name and one secret (RFC 7617 §2), or one of them is empty, or it came twice.
    BasicMalformed, "basic_malformed", 401, Caller;
    /// The provider refused the refresh token, or the name and its secret (RFC 6749 §5.2).
    CredentialRefused, "credential_refused", 401, Caller;
    /// Wrong secrets came too often from this address, or for this name from this address (`guess_limit`).
    GuessedTooOften, "guessed_too_often", 429, Caller;

    /// The callback's parameters are not one authorization response (RFC 6749 §4.1.2, §3.1).
    CallbackMalformed, "callback_malformed", 400, Caller;
    /// The callback came by another way than `response_mode` says (Form Post Response Mode §2).
    CallbackWrongMode, "callback_wrong_mode", 400, Caller;
    /// No login in progress in this browser has this `state` (RFC 6749 §10.12).
    LoginUnknown, "login_unknown", 400, Caller;
    /// The login took too long.
    LoginExpired, "login_expired", 400, Caller;
    /// The browser was sent to log in again and again, and comes back without a session.
    LoginLoop, "login_loop", 400, Caller;
    /// A third-party initiated login names an issuer or a target that is not ours (OIDC Core §4).
    InitiateRefused, "initiate_refused", 400, Caller;
    /// The user or the provider's policy refused the login (`error=access_denied`).
    LoginRefused, "login_refused", 403, Caller;

    /// Another site sent the logout, and no person is there to be asked.
    LogoutElsewhere, "logout_elsewhere", 403, Caller;
    /// A request to an endpoint of `gateway_tokens` is none (RFC 6749 §5.2, `invalid_request`).
    GatewayRequestMalformed, "gateway_request_malformed", 400, Caller;
    /// A client of `gateway_tokens` is not known, or did not show that it is it (`invalid_client`).
    GatewayClientRefused, "gateway_client_refused", 401, Caller;
    /// The gateway's token endpoint knows the client credentials grant alone (`unsupported_grant_type`).
    GatewayGrantUnsupported, "gateway_grant_unsupported", 400, Caller;
    /// The client asked for a scope that it may not have (`invalid_scope`).
    GatewayScopeRefused, "gateway_scope_refused", 400, Caller;
    /// The operator's request is not one.
    OperatorMalformed, "operator_malformed", 400, Caller;
    /// The request is no form with one logout token, or that is no JWS that we take (Back-Channel Logout §2.5).
    LogoutTokenMalformed, "logout_token_malformed", 400, Caller;
    /// The logout token is signed with an algorithm that is not expected.
    LogoutTokenAlgorithm, "logout_token_algorithm", 400, Caller;
    /// The logout token is of another kind by its `typ`.
    LogoutTokenType, "logout_token_type", 400, Caller;
    /// No published key fits the logout token.
    LogoutTokenKeyUnknown, "logout_token_key_unknown", 400, Caller;
    /// The logout token's signature is wrong.
    LogoutTokenSignature, "logout_token_signature", 400, Caller;
    /// The logout token's `iss` is not the provider's issuer.
    LogoutTokenIssuer, "logout_token_issuer", 400, Caller;
    /// The logout token is not for us (`aud`).
    LogoutTokenAudience, "logout_token_audience", 400, Caller;
    /// The logout token's `exp` has passed, or its `iat` is longer ago than any delivery takes.
    LogoutTokenExpired, "logout_token_expired", 400, Caller;
    /// The logout token's `iat` or `nbf` lies in the future.
    LogoutTokenNotYetValid, "logout_token_not_yet_valid", 400, Caller;
    /// A claim that a logout token must have is missing or of a wrong type, or it has a `nonce` (Back-Channel Logout §2.6).
    LogoutTokenClaims, "logout_token_claims", 400, Caller;
    /// The logout token came before (`jti`).
    LogoutTokenReplayed, "logout_token_replayed", 400, Caller;

    /// The provider ended the login with an error (RFC 6749 §4.1.2.1).
    ProviderError, "provider_error", 400, Provider;
    /// The callback's `iss` is missing or of another issuer (RFC 9207 §2.4).
    CallbackIssuerMismatch, "callback_issuer_mismatch", 400, Provider;
    /// The provider's metadata cannot be fetched, and there is none from before.
    DiscoveryUnavailable, "discovery_unavailable", 503, Provider;
    /// The provider's metadata is not usable (OIDC Discovery §3, §4.3).
    DiscoveryInvalid, "discovery_invalid", 503, Provider;
    /// The `issuer` in the provider's metadata is not the configured one (OIDC Discovery §4.3).
    DiscoveryIssuerMismatch, "discovery_issuer_mismatch", 503, Provider;
    /// The provider's keys cannot be fetched, and there are none from before.
    JwksUnavailable, "jwks_unavailable", 503, Provider;
    /// The provider's key set is not usable (RFC 7517 §5).
    JwksInvalid, "jwks_invalid", 503, Provider;
    /// The token endpoint did not answer, or said that it cannot now.
    TokenUnavailable, "token_unavailable", 503, Provider;
    /// The token endpoint refused the code (`invalid_grant` and its like, RFC 6749 §5.2).
    TokenRefused, "token_refused", 400, Provider;
    /// The token endpoint's answer is not one (RFC 6749 §5.1).
    TokenInvalid, "token_invalid", 400, Provider;
    /// The session's access token has ended, and the provider did not renew it: no answer, or none to go by. It is asked
    /// again soon.
    RefreshUnavailable, "refresh_unavailable", 503, Provider;
    /// The provider ended the session: it refused the refresh token (`invalid_grant`, RFC 6749 §5.2), or the session was
    /// revoked meanwhile.
    RefreshRefused, "refresh_refused", 401, Caller;
    /// The answer to a refresh contradicts the login: another user, another client, another issuer (OIDC Core §12.2).
    RefreshInvalid, "refresh_invalid", 401, Provider;
    /// A refresh was lost with the worker that made it, and its repetition was refused: the session ended with its access
    /// token.
    RefreshLost, "refresh_lost", 401, Us;
    /// The answer to a caller's credential is not one (RFC 6749 §5.1), or its ID token is not good.
    GrantInvalid, "grant_invalid", 503, Provider;
    /// The introspection endpoint did not answer, or said that it cannot now.
    IntrospectionUnavailable, "introspection_unavailable", 503, Provider;
    /// The introspection answer is not one (RFC 7662 §2.2, RFC 9701 §5).
    IntrospectionInvalid, "introspection_invalid", 503, Provider;
    /// The userinfo endpoint did not answer, or said that it cannot now.
    UserinfoUnavailable, "userinfo_unavailable", 503, Provider;
    /// The userinfo endpoint refused the access token that came a moment before.
    UserinfoRefused, "userinfo_refused", 400, Provider;
    /// The userinfo answer is not one (OIDC Core §5.3.2).
    UserinfoInvalid, "userinfo_invalid", 400, Provider;
    /// The userinfo answer is about somebody else (OIDC Core §5.3.2).
    UserinfoSubjectMismatch, "userinfo_subject_mismatch", 400, Provider;
    /// The token answer carries no ID token (OIDC Core §3.1.3.3).
    IdTokenMissing, "id_token_missing", 400, Provider;
    /// The ID token is not a JWS in compact serialization that we take (RFC 7515 §3.1, §4).
    IdTokenMalformed, "id_token_malformed", 400, Provider;
    /// The ID token is signed with an algorithm that is not expected (OIDC Core §3.1.3.7, 7).
    IdTokenAlgorithm, "id_token_algorithm", 400, Provider;
    /// The ID token is of another kind by its `typ` (RFC 8725 §3.11).
    IdTokenType, "id_token_type", 400, Provider;
    /// No published key fits the ID token.
    IdTokenKeyUnknown, "id_token_key_unknown", 400, Provider;
    /// The ID token's signature is wrong.
    IdTokenSignature, "id_token_signature", 400, Provider;
    /// The ID token's `iss` is not the provider's issuer.
    IdTokenIssuer, "id_token_issuer", 400, Provider;
    /// The ID token is not for us, or for others too (`aud`, `azp`; OIDC Core §3.1.3.7, 3 to 5).
    IdTokenAudience, "id_token_audience", 400, Provider;
    /// The ID token's `exp` has passed.
    IdTokenExpired, "id_token_expired", 400, Provider;
    /// The ID token's `nbf` or `iat` lies in the future.
    IdTokenNotYetValid, "id_token_not_yet_valid", 400, Provider;
    /// A claim that an ID token must have is missing or of a wrong type (OIDC Core §2).
    IdTokenClaims, "id_token_claims", 400, Provider;
    /// The ID token's `nonce` is not the one that was sent.
    NonceMismatch, "nonce_mismatch", 400, Provider;
    /// The ID token's `at_hash` does not fit the access token (OIDC Core §3.1.3.8).
    AccessTokenHash, "access_token_hash", 400, Provider;

    /// The provider does not know our client, or refuses its authentication (`invalid_client`).
    ClientRefused, "client_refused", 503, Operator;
    /// The introspection endpoint refuses us, who ask.
    IntrospectionRefused, "introspection_refused", 503, Operator;
    /// The provider does not take a caller's credential as the rule trades it: our client may not, or `grants` asks for what
    /// there is not.
    GrantRefused, "grant_refused", 503, Operator;
    /// The rate limit service did not answer, and the rule does not let through without it.
    RateLimitUnavailable, "rate_limit_service_lost", 503, Operator;
    /// The store did not answer, and nothing may pass without it (`store`).
    StoreUnavailable, "store_unavailable", 503, Operator;
    /// The provider does not offer what the rule needs of it.
    EndpointMissing, "endpoint_missing", 503, Operator;
    /// An endpoint lies on a host that no configured cluster reaches.
    EndpointWithoutCluster, "endpoint_without_cluster", 503, Operator;
    /// The host does not know the configured cluster.
    ClusterUnknown, "cluster_unknown", 503, Operator;
    /// The request needs its body read, and `bodies` is `unreadable` here.
    BodyUnreadable, "body_unreadable", 501, Operator;
    /// The session does not fit `session.budget`, even without what may be left out.
    SessionTooLarge, "session_too_large", 500, Operator;

    /// The body is larger than anything that belongs here.
    BodyTooLarge, "body_too_large", 413, Caller;
    /// So many calls to the provider are under way that no further one starts.
    ProviderBusy, "provider_busy", 503, Us;
    /// What was revoked could not be written down for all workers: it is to be asked for again.
    RevocationUnrecorded, "revocation_unrecorded", 503, Us;
    /// No configuration was accepted yet.
    Unconfigured, "unconfigured", 503, Operator;
    /// A question that several requests asked together got lost on its way.
    FlightLost, "flight_lost", 503, Us;
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_plain() {
        let codes: HashSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
    }

    #[test]
    fn what_the_provider_or_we_cannot_do_now_is_a_503() {
        for reason in Reason::ALL.iter().filter(|reason| reason.code().ends_with("_unavailable")) {
            let blame = if *reason == Reason::StoreUnavailable { Blame::Operator } else { Blame::Provider };
            assert_eq!((reason.status(), reason.blame()), (503, blame), "{reason}");
        }
    }
}
