//! The reference of the configuration, as Markdown.

use crate::{example, yaml};
use oidc_proxy_wasm::config::keys::{Blanks, Kind, Preset, TOP, Table};
use std::time::Duration;

const HEAD: &str = "\
# Configuration

This page is printed from the code by `UPDATE_DOCS=1 cargo test --test docs`; a test compares them. The same tables make
[configuration.schema.json](configuration.schema.json), for editors. The codes of refusals are in [reasons.md](reasons.md).

The host hands the configuration over as JSON; in the files of Envoy and Istio it is written as YAML. It is checked as a
whole before the first request: unknown keys, missing parts, weak secrets and contradictions refuse the load, all of
them at once, each with its path.

- **Durations** are a whole number and a unit: `200ms`, `30s`, `15m`, `8h`, `7d`.
- **Secrets** are text, or `{ env: NAME }` with a variable that the host passes to the VM. A variable that is missing or
  empty refuses the load.
- **`null`** is the same as leaving a key out, and in a rule it unsets what `defaults` says. In `match` and `require` it
  refuses the load: a condition that a template left blank must not become no condition.
- **Paths** are compared in one spelling: without query, escapes decoded where a path needs none. A request whose path
  means different things to different servers (`..`, `//`, `%2e`, `%2f`, `%5c`, `%00`, `\\`, `;` in a dot segment, broken
  escapes) is refused with `path_ambiguous`.
- **Claims** are named by a list of member names, from the outside in. Nothing is split at dots.

## Every key once

Not a configuration to copy: most of it says what holds anyway.

";

/// The page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str(&format!("```yaml\n{}```\n", yaml::object(&example::configuration(), &TOP)));
    example::each_table(&TOP, &mut |table| page.push_str(&section(table)));
    page
}

fn section(table: &'static Table) -> String {
    let title = if table.place.contains(' ') { table.place.to_owned() } else { format!("`{}`", table.place) };
    let mut text =
        format!("\n## {title}\n\n{}\n\n| key | takes | without it | meaning |\n|---|---|---|---|\n", table.doc);
    for key in table.keys {
        let without = if table.blanks == Blanks::Refused && key.preset == Preset::Said("none") {
            "asks for nothing".into()
        } else {
            preset(&key.preset)
        };
        let cells = [format!("`{}`", key.name), takes(&key.kind), without, key.doc.to_owned()];
        text.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
    }
    text
}

fn takes(kind: &'static Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Secret => "secret".into(),
        Kind::Flag => "`true` or `false`".into(),
        Kind::Duration { least, most } => format!("duration, {} to {}", shown(*least), shown(*most)),
        Kind::Number { least, most } => format!("whole number, {least} to {most}"),
        Kind::Amount => "number".into(),
        Kind::Choice(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Kind::Scalar => "text, number, `true` or `false`".into(),
        Kind::ClaimPath => "claim".into(),
        Kind::Either(text, other) => format!("{}, or {}", takes(text), takes(other)),
        Kind::Names => "text or list of text".into(),
        Kind::Object => "object".into(),
        Kind::List(of) => format!("list of {}", takes(of)),
        Kind::Some(of) => format!("list, not empty, of {}", takes(of)),
        Kind::Map(of) => format!("names, each with {}", takes(of)),
        Kind::Section(table) => format!("[keys](#{})", anchor(table.place)),
    }
}

fn shown(duration: Duration) -> String {
    match duration.as_secs() {
        0 if duration.is_zero() => "`0s`".into(),
        0 => format!("`{}ms`", duration.as_millis()),
        seconds if seconds.is_multiple_of(86_400) => format!("`{}d`", seconds / 86_400),
        seconds => format!("`{seconds}s`"),
    }
}

/// The anchor that GitHub makes of a heading.
fn anchor(place: &str) -> String {
    let lower = place.to_lowercase();
    let kept = lower.chars().filter(|letter| letter.is_alphanumeric() || " _-".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

fn preset(preset: &Preset) -> String {
    match preset {
        Preset::Required => "**needed**".into(),
        Preset::Text(text) => format!("`{text}`"),
        Preset::Words(words) => format!("`[{}]`", words.join(", ")),
        Preset::Number(number) => format!("`{number}`"),
        Preset::Flag(flag) => format!("`{flag}`"),
        Preset::Said(phrase) => (*phrase).into(),
    }
}
