//! The goals: ratios of what filters add, so that they hold on any machine.

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
pub const GOALS: [Goal; 5] = [
    Goal { row: name::OPENED, of: name::OAUTH2, must: 3.0, aim: Some(2.2) },
    Goal { row: name::OPENED, of: name::BOTH, must: 0.7, aim: None },
    Goal { row: name::SEEN, of: name::OAUTH2, must: 1.7, aim: Some(1.2) },
    Goal { row: name::SEEN, of: name::BOTH, must: 0.4, aim: None },
    Goal { row: name::ANONYMOUS, of: name::JWT_AUTHN, must: 0.3, aim: None },
];

/// The largest module, and the one that we would like, in bytes.
pub const MODULE: (u64, u64) = (1_000_000, 700_000);

/// The run is worth nothing where the median of `jwt_authn` is so many times its lowest tenth.
pub const BUSY: f64 = 1.5;

/// How a figure stands to its goal.
pub fn verdict(figure: f64, must: f64, aim: Option<f64>) -> &'static str {
    match aim {
        _ if !figure.is_finite() || figure > must => "MISS",
        Some(aim) if figure <= aim => "pass, aim reached",
        _ => "pass",
    }
}
