//! The goals: ratios of what filters add, so that they hold on any machine.

use serde_json::{Value, json};

use crate::rows::name;

/// At most so many times what another row adds.
pub struct Goal {
    /// The row.
    pub row: &'static str,
    /// The row that it is compared with.
    pub of: &'static str,
    /// More than this misses the goal.
    pub must: f64,
    /// What we would like.
    pub aim: Option<f64>,
}

/// All of them.
pub const GOALS: [Goal; 17] = [
    goal(name::OPENED, name::OAUTH2, 3.0, Some(2.2)),
    goal(name::OPENED, name::BOTH, 0.7, None),
    goal(name::SEEN, name::OAUTH2, 1.7, Some(1.2)),
    goal(name::BY_HANDLE, name::OAUTH2, 1.7, None),
    goal(name::SEEN, name::BOTH, 0.4, None),
    goal(name::ANONYMOUS, name::JWT_AUTHN, 0.3, None),
    goal(name::BEARER, name::JWT_AUTHN, 0.6, Some(0.4)),
    goal(name::BEARER, name::EXT_AUTHZ, 0.5, None),
    goal(name::BEARER_RS256, name::JWT_AUTHN, 1.6, Some(1.3)),
    goal(name::BEARER_WASM, name::JWT_AUTHN, 4.5, Some(3.5)),
    goal(name::BEARER_ES256, name::JWT_AUTHN_ES256, 1.5, Some(1.2)),
    goal(name::BEARER_EDDSA, name::JWT_AUTHN_EDDSA, 1.9, Some(1.6)),
    goal(name::INTROSPECTED, name::JWT_AUTHN, 0.7, None),
    goal(name::CLIENT, name::JWT_AUTHN, 0.7, None),
    goal(name::JOB, name::JWT_AUTHN, 0.6, None),
    goal(name::MANY_ANONYMOUS, name::ONE_ANONYMOUS, 1.2, None),
    goal(name::MANY_BEARER, name::ONE_BEARER, 1.2, None),
];

const fn goal(row: &'static str, of: &'static str, must: f64, aim: Option<f64>) -> Goal {
    Goal { row, of, must, aim }
}

/// The largest module, and the one that we would like, in bytes.
pub const MODULE: (u64, u64) = (1_000_000, 700_000);

/// How much Envoy may grow over its start while tokens without end come, in MB: 10,000 remembered tokens count as 2 KiB each,
/// which is 20.5 MB, and V8 compiles anew what runs often.
pub const FLOOD_MEMORY: f64 = 32.0;

/// How many times as many requests the first tenth of that flood may have answered in the same time as the last.
pub const FLOOD_SAG: f64 = 1.25;

/// The run is worth nothing where the median of `jwt_authn` is so many times its lowest tenth.
pub const BUSY: f64 = 1.5;

/// A figure beside its goal.
pub struct Judged {
    what: String,
    figure: f64,
    must: f64,
    aim: Option<f64>,
}

impl Judged {
    /// A figure that must not be larger than `must`, and had better not be larger than `aim`.
    pub fn new(what: impl Into<String>, figure: f64, must: f64, aim: Option<f64>) -> Judged {
        Judged { what: what.into(), figure, must, aim }
    }

    /// Whether it is good enough; what is no number is not.
    pub fn passes(&self) -> bool {
        self.figure <= self.must
    }

    /// As a table.
    pub fn print(all: &[Judged]) {
        println!("\n{:<46}{:>8}{:>8}{:>8}", "goal", "is", "must", "aim");
        for goal in all {
            let aim = goal.aim.map(|aim| format!("{aim:.2}")).unwrap_or_default();
            println!("{:<46}{:>8.2}{:>8.2}{aim:>8}  {}", goal.what, goal.figure, goal.must, goal.verdict());
        }
    }

    /// As JSON.
    pub fn json(all: &[Judged]) -> Value {
        let one = |goal: &Judged| {
            let verdict = goal.verdict();
            json!({ "goal": goal.what, "is": goal.figure, "must": goal.must, "aim": goal.aim, "verdict": verdict })
        };
        all.iter().map(one).collect()
    }

    fn verdict(&self) -> &'static str {
        match self.aim {
            _ if !self.passes() => "MISS",
            Some(aim) if self.figure <= aim => "pass, aim reached",
            _ => "pass",
        }
    }
}
