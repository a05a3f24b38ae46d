//! The module asks of its host only what every host has, and names one ABI: a host refuses to link anything else.

use std::collections::BTreeSet;
use std::fs;

use integration_tests::{may_panic_when_told, module};
use wasmparser::{Parser, Payload};

/// In bytes.
const LARGEST: u64 = 1_000_000;

/// How much larger it may be, in bytes, where the standard library came with the toolchain and panics have words.
const WORDS: u64 = 200_000;

/// WASI functions that Envoy, nginx and APISIX all have.
const WASI: [&str; 6] = ["clock_time_get", "environ_get", "environ_sizes_get", "fd_write", "proc_exit", "random_get"];

/// Host calls of ABI 0.2.1 that every host can at least link, also where it answers "unimplemented". The SDK imports some
/// that the filter never makes. Not among them: `proxy_get_log_level`, with which a module does not link on APISIX.
const HOST_CALLS: [&str; 37] = [
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_close_stream",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_dequeue_shared_queue",
    "proxy_done",
    "proxy_enqueue_shared_queue",
    "proxy_get_buffer_bytes",
    "proxy_get_buffer_status",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_metric",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_get_status",
    "proxy_grpc_call",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_grpc_send",
    "proxy_grpc_stream",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_register_shared_queue",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_resolve_shared_queue",
    "proxy_send_local_response",
    "proxy_set_buffer_bytes",
    "proxy_set_effective_context",
    "proxy_set_header_map_pairs",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
];

#[derive(Default)]
struct Surface {
    imports: BTreeSet<(String, String)>,
    exports: BTreeSet<String>,
}

fn surface() -> Surface {
    let bytes = fs::read(module()).unwrap();
    let mut surface = Surface::default();
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.unwrap() {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.unwrap();
                    surface.imports.insert((import.module.to_owned(), import.name.to_owned()));
                }
            }
            Payload::ExportSection(section) => {
                surface.exports.extend(section.into_iter().map(|export| export.unwrap().name.to_owned()));
            }
            _ => {}
        }
    }
    surface
}

fn names_from(surface: &Surface, module: &str) -> BTreeSet<String> {
    surface.imports.iter().filter(|(from, _)| from == module).map(|(_, name)| name.clone()).collect()
}

fn beyond(names: &BTreeSet<String>, known: &[&str]) -> Vec<String> {
    names.iter().filter(|name| !known.contains(&name.as_str())).cloned().collect()
}

#[test]
fn it_names_one_abi() {
    let surface = surface();
    let abis: Vec<_> = surface.exports.iter().filter(|name| name.starts_with("proxy_abi_version_")).collect();
    assert_eq!(abis, ["proxy_abi_version_0_2_1"]);
}

#[test]
fn it_exports_what_a_host_calls() {
    let exports = surface().exports;
    for needed in ["memory", "proxy_on_vm_start", "proxy_on_configure", "proxy_on_request_headers"] {
        assert!(exports.contains(needed), "{needed} is not exported, but {exports:?}");
    }
    let strange: Vec<_> = exports
        .iter()
        .filter(|name| !name.starts_with("proxy_"))
        .filter(|name| !["memory", "_initialize"].contains(&name.as_str()))
        .collect();
    assert_eq!(strange, Vec::<&String>::new());
}

#[test]
fn it_imports_nothing_that_a_host_may_lack() {
    let surface = surface();
    let modules: BTreeSet<_> = surface.imports.iter().map(|(module, _)| module.as_str()).collect();
    assert!(modules.is_subset(&["env", "wasi_snapshot_preview1"].into()), "{modules:?}");
    assert_eq!(beyond(&names_from(&surface, "wasi_snapshot_preview1"), &WASI), Vec::<String>::new());
    assert_eq!(beyond(&names_from(&surface, "env"), &HOST_CALLS), Vec::<String>::new());
}

/// A host that compiles the code as it comes has no use for hints that come after it.
#[test]
fn it_hints_which_way_branches_go_before_it_shows_the_code() {
    let bytes = fs::read(module()).unwrap();
    let payloads = Parser::new(0).parse_all(&bytes).map(Result::unwrap);
    let before = payloads.take_while(|payload| !matches!(payload, Payload::CodeSectionStart { .. }));
    let hints = |payload: &Payload<'_>| match payload {
        Payload::CustomSection(section) if section.name() == "metadata.code.branch_hint" => section.data().len(),
        _ => 0,
    };
    assert!(before.map(|payload| hints(&payload)).sum::<usize>() > 1000);
}

#[test]
fn it_panics_at_no_provider_s_word() {
    assert!(!may_panic_when_told(&module()), "that is a build for a test");
}

#[test]
fn it_grows_no_further_unseen() {
    let module = fs::read(module()).unwrap();
    let has_words = module.windows(11).any(|found| found == b"panicked at");
    let (size, allowed) = (module.len() as u64, if has_words { LARGEST + WORDS } else { LARGEST });
    assert!(size <= allowed, "{size} bytes, {allowed} are allowed");
}
