//! How often a secret may be guessed (attack G04).
//!
//! A try counts as failed until it turns out not to be, so that guesses sent at once are counted as well. Two buckets count:
//! one for the client's address, and one for the name that is guessed at from that address. A name alone has none: then
//! anybody could lock out whoever has it.

use super::buckets::{Allowance, Buckets, Caller, Taken};
use crate::config::GuessLimit;
use crate::words::{Headers, Reason, Refusal, Secret};
use crate::world::{Host, Metric};
use std::net::Ipv6Addr;

/// Counts guesses at whatever has secrets: the grants of a provider, or a token endpoint of our own.
pub struct Guesses(Buckets);

/// A try that counts as failed until it is forgiven.
#[must_use = "a try that is not forgiven has failed"]
pub struct Guess {
    taken: Vec<(Caller, Allowance)>,
}

/// Who guesses at what.
#[derive(Clone, Copy, Debug)]
pub struct Guesser<'a> {
    /// Whose secrets they are.
    pub realm: &'a str,
    /// The name whose secret is shown; `None` where a secret stands alone.
    pub user: Option<&'a str>,
    /// From where, by [`address`].
    pub address: &'a str,
}

impl Guesses {
    /// Nothing counted yet. Nobody recognizes names and addresses that does not hold the ring.
    pub fn new(ring: &[Secret]) -> Self {
        Self(Buckets::new(ring, b"oidc-proxy-wasm guess v1"))
    }

    /// Counts a try, or refuses one of whoever has failed too often.
    pub fn begin(&self, host: &dyn Host, limit: &GuessLimit, guesser: Guesser<'_>) -> Result<Guess, Refusal> {
        let period = u64::from(limit.per.as_secs()).saturating_mul(1000);
        let of = |names: &[&[u8]], limit: u32| (self.0.caller(names), Allowance { limit, period, burst: limit });
        let (realm, address) = (guesser.realm.as_bytes(), guesser.address.as_bytes());
        let per = period.to_le_bytes();
        let mut buckets = vec![of(&[b"address", &per, realm, address], limit.per_address)];
        if let Some(user) = guesser.user {
            buckets.push(of(&[b"user", &per, realm, address, user.as_bytes()], limit.per_user));
        }
        let mut guess = Guess { taken: Vec::new() };
        for (caller, allowance) in buckets {
            match self.0.take(host, caller, allowance) {
                Taken::Granted { .. } => guess.taken.push((caller, allowance)),
                Taken::Refused { wait } => {
                    self.forgive(host, guess);
                    host.count(Metric::GuessesRefused);
                    let wait = wait.div_ceil(1000).max(1);
                    let detail = format!("wrong secrets came too often from there, may come again in {wait} s");
                    let refusal = Refusal::new(Reason::GuessedTooOften, detail);
                    return Err(refusal.with_header("retry-after", wait.to_string()));
                }
            }
        }
        Ok(guess)
    }

    /// The secret was right, or nobody could say.
    pub fn forgive(&self, host: &dyn Host, guess: Guess) {
        guess.taken.into_iter().for_each(|(caller, allowance)| self.0.give(host, caller, allowance));
    }
}

/// Where a request comes from: the address of its client as the host knows it, else as it writes it into header fields. Of
/// an IPv6 address the network of 64 bits, of which one client has all.
pub fn address(host: &dyn Host, headers: &Headers) -> String {
    let seen = host.source_address().unwrap_or_else(|| String::from_utf8_lossy(headers.client_address()).into_owned());
    network(without_port(&seen))
}

fn without_port(address: &str) -> &str {
    if let Some(bracketed) = address.strip_prefix('[') {
        return bracketed.split(']').next().unwrap_or_default();
    }
    match address.split_once(':') {
        // More than one colon: an IPv6 address alone.
        Some((host, port)) if !port.contains(':') => host,
        _ => address,
    }
}

fn network(address: &str) -> String {
    match address.parse::<Ipv6Addr>() {
        Ok(six) if six.to_ipv4_mapped().is_none() => {
            let [first, second, third, fourth, ..] = six.segments();
            format!("{first:x}:{second:x}:{third:x}:{fourth:x}")
        }
        Ok(mapped) => mapped.to_ipv4_mapped().map_or(String::new(), |four| four.to_string()),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Period;
    use crate::world::script::Script;

    const LIMIT: GuessLimit = GuessLimit { per_user: 3, per_address: 8, per: Period::Minute };

    fn guesses() -> Guesses {
        Guesses::new(&[Secret::new([7; 32])])
    }

    fn from<'a>(address: &'a str, user: &'a str) -> Guesser<'a> {
        Guesser { realm: "main", user: Some(user), address }
    }

    /// How many of `times` wrong guesses are let through.
    fn passed(guesses: &Guesses, script: &Script, guesser: Guesser<'_>, times: usize) -> usize {
        (0..times).filter(|_| guesses.begin(script, &LIMIT, guesser).is_ok()).count()
    }

    // G04
    #[test]
    fn a_name_is_guessed_at_so_often_from_one_place_and_nobody_else_is_locked_out() {
        let (script, guesses) = (Script::new(), guesses());
        assert_eq!(passed(&guesses, &script, from("192.0.2.1", "alice"), 50), 3);
        let refused = guesses.begin(&script, &LIMIT, from("192.0.2.1", "alice")).err().unwrap();
        assert_eq!(refused.reason, Reason::GuessedTooOften);
        assert_eq!(refused.headers(), [("retry-after", "20".to_owned())]);
        // Alice herself, elsewhere; and others there, until the address has had enough.
        assert_eq!(passed(&guesses, &script, from("192.0.2.2", "alice"), 1), 1);
        assert_eq!(passed(&guesses, &script, from("192.0.2.1", "bob"), 50), 3);
        assert_eq!(passed(&guesses, &script, from("192.0.2.1", "carol"), 50), 2);
        assert_eq!(passed(&guesses, &script, from("192.0.2.1", "dave"), 50), 0);
        assert_eq!(passed(&guesses, &script, from("192.0.2.2", "dave"), 1), 1);
        assert!(script.counted(Metric::GuessesRefused) > 0);
        script.advance(60);
        assert_eq!(passed(&guesses, &script, from("192.0.2.1", "alice"), 50), 3);
    }

    #[test]
    fn what_is_right_costs_nothing() {
        let (script, guesses) = (Script::new(), guesses());
        for _ in 0..100 {
            let guess = guesses.begin(&script, &LIMIT, from("192.0.2.1", "alice")).unwrap();
            guesses.forgive(&script, guess);
        }
        // And one that is refused by its name costs its address nothing.
        assert_eq!(passed(&guesses, &script, from("192.0.2.1", "alice"), 50), 3);
        assert_eq!(passed(&guesses, &script, from("192.0.2.1", "bob"), 3), 3);
        assert_eq!(passed(&guesses, &script, from("192.0.2.1", "carol"), 3), 2);
    }

    #[test]
    fn workers_of_one_host_count_together() {
        let (script, one, two) = (Script::new(), guesses(), guesses());
        let alternating = (0..20).filter(|at| {
            let guesses = if at % 2 == 0 { &one } else { &two };
            guesses.begin(&script, &LIMIT, from("192.0.2.1", "alice")).is_ok()
        });
        assert_eq!(alternating.count(), 3);
    }

    /// W04: where neither the host nor a header field says where a request comes from, all such are one guesser. The twin
    /// has a host that knows.
    #[test]
    fn whoever_comes_from_nowhere_is_counted_with_all_others_from_there() {
        let (script, guesses) = (Script::new(), guesses());
        let nowhere = address(&script, &Headers::from_pairs([("user-agent", "a script")]));
        let names = |name: usize| ["alice", "bob", "carol", "dave"][name % 4];
        let passes = |address: &str| {
            (0..40).filter(|at| guesses.begin(&script, &LIMIT, from(address, names(*at))).is_ok()).count()
        };
        assert_eq!(passes(&nowhere), 8);
        assert_eq!(passes(&address(&script, &Headers::from_pairs([("accept", "*/*")]))), 0);
        script.comes_from("192.0.2.1:4711");
        assert_eq!(passes(&address(&script, &Headers::from_pairs([("accept", "*/*")]))), 8);
    }

    #[test]
    fn an_address_is_known_without_its_port_and_by_its_network() {
        for (seen, known) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("192.0.2.1", "192.0.2.1"),
            ("[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2"),
            ("2001:db8:1:2::9", "2001:db8:1:2"),
            ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
            ("", ""),
            ("/run/envoy.sock", "/run/envoy.sock"),
        ] {
            assert_eq!(network(without_port(seen)), known, "{seen}");
        }
    }
}
