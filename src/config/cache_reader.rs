//! Reads how much is remembered.

use super::section::Section;
use super::{Bounds, Cache, GrantsCache, KeysCache};

/// The section `cache`.
pub(super) fn read(section: &Section) -> Option<Cache> {
    let keys = section.section("keys");
    let introspection = section.section("introspection");
    Some(Cache {
        keys: read_keys(&keys)?,
        metadata_refresh: section.section("metadata").duration("refresh")?,
        tokens: read_bounds(&section.section("tokens"))?,
        introspection: read_bounds(&introspection)?,
        userinfo: read_bounds(&section.section("userinfo"))?,
        grants: read_grants(&section.section("grants"))?,
        negative: introspection.duration("negative")?,
    })
}

fn read_keys(keys: &Section) -> Option<KeysCache> {
    let (floor, ceiling) = (keys.duration("floor")?, keys.duration("ceiling")?);
    if ceiling < floor {
        keys.problem("ceiling", "is shorter than floor, and a key set would live shorter than its shortest life");
    }
    Some(KeysCache { refetch: keys.duration("refetch")?, floor, ceiling })
}

fn read_grants(grants: &Section) -> Option<GrantsCache> {
    let entries = usize::try_from(grants.number("entries")?).ok()?;
    Some(GrantsCache { entries, margin: grants.duration("margin")?, negative: grants.duration("negative")? })
}

fn read_bounds(section: &Section) -> Option<Bounds> {
    let entries = usize::try_from(section.number("entries")?).ok()?;
    Some(Bounds { entries, max_age: section.duration("max_age")? })
}
