//! The floors of the house: an import points down, never up. Every path in `src/` that names another room is judged.

use std::path::{Path, PathBuf};

/// Rooms from the top down; each may use those after it. The rooms of one floor stand in their order.
const ROOMS: [&str; 17] = [
    "shell", "runtime", "exchange", "methods", "session", "policy", "gateway", "provider", "store", "jose", "world",
    "config", "cache", "seal", "http", "words", "lib",
];

/// A path in the code: where it stands, and its names from the crate's root.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    line: usize,
    names: Vec<String>,
}

/// Whether code in `from` may name `to`.
fn points_down(from: &str, to: &str) -> bool {
    let floor = |room: &str| ROOMS.iter().position(|known| *known == room);
    match (floor(from), floor(to)) {
        (Some(from), Some(to)) => from <= to,
        _ => false,
    }
}

/// The source without comments, text and test code, all replaced by blanks, so that lines keep their numbers.
fn code_alone(source: &str) -> String {
    let cut =
        source.find("#[cfg(test)]\nmod ").or_else(|| source.find("#[cfg(test)]\npub mod ")).unwrap_or(source.len());
    let mut code = String::new();
    let mut rest = source.get(..cut).unwrap_or_default();
    while let Some(character) = rest.chars().next() {
        let skipped = match character {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            'r' if rest.starts_with("r#\"") => rest[3..].find("\"#").map_or(rest.len(), |end| end + 5),
            '"' => end_of_text(rest),
            '\'' if rest.starts_with("'\"'") => 3,
            '\'' if rest.starts_with("'\\''") => 4,
            _ => 0,
        };
        let (gone, kept) = rest.split_at(if skipped > 0 { skipped } else { character.len_utf8() });
        if skipped > 0 {
            code.extend(gone.chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
        } else {
            code.push(character);
        }
        rest = kept;
    }
    code
}

/// How long the string literal is that `text` begins with.
fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Every path that begins with `crate` or `super`, grouped imports spelled out. `module` is where the code stands.
fn paths(code: &str, module: &[String]) -> Vec<Found> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "oidc_proxy_wasm::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || before == ':' {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            for names in tree(&code[at..]) {
                if let Some(names) = absolute(&names, module) {
                    found.push(Found { line, names });
                }
            }
        }
    }
    found
}

/// The paths of a use tree (`a::{b, c::d}`), cut at the first character that belongs to none.
fn tree(text: &str) -> Vec<Vec<String>> {
    let name_end = text.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    let prefixed = |tails: Vec<Vec<String>>| -> Vec<Vec<String>> {
        tails.into_iter().map(|tail| [vec![name.to_owned()], tail].concat()).collect()
    };
    let Some(rest) = rest.strip_prefix("::") else { return vec![vec![name.to_owned()]] };
    let Some(group) = rest.strip_prefix('{') else { return prefixed(tree(rest)) };
    prefixed(members(group).into_iter().flat_map(|member| tree(member.trim())).collect())
}

/// What stands between the braces, at the commas of this level.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut members) = (0, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                members.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                members.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    members.retain(|member| !member.trim().is_empty());
    members
}

/// The path from the crate's root; `None` when it stays what it is, as `super` inside a test.
fn absolute(names: &[String], module: &[String]) -> Option<Vec<String>> {
    let ups = names.iter().take_while(|name| *name == "super").count();
    if ups == 0 {
        return Some(names[1..].to_vec());
    }
    let base = module.get(..module.len().checked_sub(ups)?)?;
    Some([base, &names[ups..]].concat())
}

/// Where a file's code stands: `src/provider/keys.rs` is `provider::keys`.
fn module_of(file: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        file.with_extension("").components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| name == "mod") || names == ["lib"] {
        names.pop();
    }
    names
}

/// What is wrong in one file.
fn violations(file: &Path, source: &str) -> Vec<String> {
    let module = module_of(file);
    let Some(room) = module.first() else { return Vec::new() };
    let code = code_alone(source);
    let wrong = paths(&code, &module).into_iter().filter_map(|found| {
        let to = found.names.first()?;
        let climbs = !points_down(room, to);
        climbs.then(|| format!("{}:{}: {room} names {}", file.display(), found.line, found.names.join("::")))
    });
    let is_script = |found: &Found| found.names.starts_with(&["world".to_owned(), "script".to_owned()]);
    let scripted = code.contains("world::script") || paths(&code, &module).iter().any(is_script);
    let scripted = scripted.then(|| format!("{}: the scripted host is for tests", file.display()));
    wrong.chain(scripted).collect()
}

fn is_test(file: &Path) -> bool {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    name.ends_with("tests") || name == "testing" || file == Path::new("world/script.rs")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_import_points_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&src);
    assert!(files.len() > 50, "only {} files", files.len());
    let mut wrong = Vec::new();
    let mut judged = 0;
    for path in files {
        let file = path.strip_prefix(&src).unwrap();
        if is_test(file) {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        judged += paths(&code_alone(&source), &module_of(file)).len();
        wrong.extend(violations(file, &source));
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(judged > 300, "only {judged} paths were found: is the reader blind?");
}

#[test]
fn every_room_has_its_floor() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in std::fs::read_dir(src).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(ROOMS.contains(&name.as_str()), "{name} is on no floor");
    }
}

/// The reader's own proof: what it must find, and what it must leave alone.
#[test]
fn violations_are_found_however_they_are_written() {
    let wrong = [
        ("http/url.rs", "use crate::config::Rule;"),
        ("words/mod.rs", "use crate::{http::Url, words::Secret};"),
        ("jose/jwk.rs", "use crate::{words::{Secret, json}, provider::{self, Keys}};"),
        ("cache/mod.rs", "pub fn f(config: &crate::config::Config) {}"),
        ("provider/keys.rs", "fn f() { super::super::exchange::decide() }"),
        ("policy/mod.rs", "use super::session::Sessions;"),
        ("session/mod.rs", "use crate::methods;"),
        ("world/mod.rs", "use crate::runtime\n    ::Runtime;\nuse crate::runtime::Abi;"),
        ("runtime/mod.rs", "use crate::shell::imports;"),
        ("methods/session.rs", "pub(in crate::exchange) fn f() {}"),
        ("jose/jws.rs", "use crate::world::script::Script;"),
        ("jose/jws.rs", "// §\nuse crate::world::{Host, script::Script};"),
        ("jose/jws.rs", "use crate::world;\nfn f() { world::script::Script::new(); }"),
        ("world/mod.rs", "use crate::world::script::Script;"),
        ("jose/jws.rs", "let quote = '\"'; use crate::methods::x; let quote = '\"';"),
        ("http/a/b.rs", "use super::super::super::config::Rule;"),
    ];
    for (file, source) in wrong {
        assert!(!violations(Path::new(file), source).is_empty(), "{file}: {source}");
    }
    let right = [
        ("config/mod.rs", "use crate::http::Url; use crate::{cache, seal, words::{self, Secret}};"),
        ("methods/mod.rs", "use crate::session::Sessions; use super::policy;"),
        ("provider/keys.rs", "use super::document::Kept; use crate::provider::Provider; use self::x::y;"),
        ("http/url.rs", "// use crate::config::Rule;\nconst A: &str = \"crate::config::Rule\";"),
        ("http/url.rs", "use super::text; use other_crate::config::Rule; use std::str;"),
        ("http/url.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use crate::config::Rule; }"),
        ("exchange/gate.rs", "use super::super::methods::Guard;"),
    ];
    for (file, source) in right {
        assert_eq!(violations(Path::new(file), source), Vec::<String>::new(), "{file}: {source}");
    }
}
