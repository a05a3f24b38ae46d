//! Token exchange (RFC 8693).

use super::super::{Reply, json};
use super::Idp;
use std::collections::HashMap;

pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

impl Idp {
    /// The client is the shop, which was judged before; the subject's token must be one of ours that lives.
    pub(super) fn exchange(&self, fields: &HashMap<String, String>) -> Reply {
        let types = ["subject_token_type", "requested_token_type"];
        assert!(types.iter().all(|name| fields[*name] == ACCESS_TOKEN));
        assert_eq!(fields.contains_key("actor_token"), fields.contains_key("actor_token_type"));
        if fields.get("audience").is_some_and(|audience| audience == "forbidden") {
            return Reply::json(400, &json!({ "error": "invalid_target" }));
        }
        let exchanged = self.opaque(|claims| claims["sub"] = json!("exchanged"));
        let mut answer = json!({
            "access_token": exchanged, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300,
        });
        (self.0.borrow().tokens)(&mut answer);
        Reply::json(200, &answer)
    }
}
