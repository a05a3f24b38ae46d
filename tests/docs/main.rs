//! The pages in `docs/` that are printed from the code are those that the code prints.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` writes them anew.

mod example;
mod reasons;
mod reference;
mod schema;
mod swallowed;
mod yaml;

use std::path::Path;

#[test]
fn the_configuration_reference_is_up_to_date() {
    check("configuration.md", &reference::page());
}

#[test]
fn the_json_schema_is_up_to_date() {
    check("configuration.schema.json", &schema::page());
}

#[test]
fn the_list_of_reasons_is_up_to_date() {
    check("reasons.md", &reasons::page());
}

fn check(name: &str, printed: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, printed).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = found.lines().zip(printed.lines()).position(|(one, other)| one != other);
    let advice = "UPDATE_DOCS=1 cargo test --test docs writes it anew";
    assert!(found == printed, "docs/{name} is out of date (line {:?}): {advice}", differs.map(|line| line + 1));
}
