//! What the host calls (proxy-wasm ABI 0.2.1): each callback finds its context and goes to it.
//!
//! Only callbacks that are used are exported: the host enters the VM for each one that is, several times a request, and
//! that costs more than what most of them would do. Contexts go with `proxy_on_done`.

use super::imports;
use super::root::Root;
use crate::runtime::{Flow, Stream};
use crate::words::ByNumber;
use std::cell::RefCell;
use std::rc::Rc;

/// A context of the host's.
#[derive(Clone)]
enum Context {
    /// A plugin configuration.
    Root(Rc<Root>),
    /// A request.
    Stream(Rc<Stream>),
}

thread_local! {
    /// Every context that the host has made, by its number.
    static CONTEXTS: RefCell<ByNumber<Context>> = const { RefCell::new(ByNumber::new()) };
}

/// The context of a callback that begins. Nothing stays borrowed while a callback runs: the host may call back in the middle of it.
fn context(id: u32) -> Option<Context> {
    imports::time_moves();
    CONTEXTS.with_borrow(|contexts| contexts.get(id).cloned())
}

fn root(id: u32) -> Option<Rc<Root>> {
    match context(id)? {
        Context::Root(root) => Some(root),
        Context::Stream(_) => None,
    }
}

/// A context that is not there, or is not a stream, lets nothing through.
fn stream(id: u32, then: impl FnOnce(&Rc<Stream>) -> Flow) -> u32 {
    let flow = match context(id) {
        Some(Context::Stream(stream)) => then(&stream),
        Some(Context::Root(_)) | None => Flow::Pause,
    };
    match flow {
        Flow::Continue => 0,
        Flow::Pause => 1,
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    // SAFETY: the linker's own function, which a reactor calls once, before all else.
    unsafe { __wasm_call_ctors() };
}

/// Memory that the host fills and hands over; `imports` takes it back.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(size)).cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(id: u32, parent: u32) {
    let context = match parent {
        0 => Some(new_root()),
        parent => root(parent).map(|root| Context::Stream(root.stream(id))),
    };
    if let Some(context) = context {
        CONTEXTS.with_borrow_mut(|contexts| contexts.insert(id, context));
    }
}

#[inline(never)]
fn new_root() -> Context {
    Context::Root(Rc::new(Root::new()))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_: u32, _: usize) -> u32 {
    1
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(id: u32, size: usize) -> u32 {
    root(id).is_some_and(|root| root.configure(size)).into()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(id: u32) {
    if let Some(root) = root(id) {
        root.ticked();
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_queue_ready(id: u32, _: u32) {
    if let Some(root) = root(id) {
        root.woken();
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(id: u32, token: u32, fields: usize, size: usize, _: usize) {
    match context(id) {
        Some(Context::Root(root)) => root.call_answered(token, fields, size),
        Some(Context::Stream(stream)) => stream.runtime.call_answered(Some(stream.id), token, fields, size),
        None => {}
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(id: u32, _: usize, end: u32) -> u32 {
    stream(id, |stream| stream.runtime.request(stream, end != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(id: u32, size: usize, end: u32) -> u32 {
    stream(id, |stream| stream.runtime.request_body(stream, size, end != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(id: u32, _: usize) -> u32 {
    stream(id, |stream| stream.runtime.request_trailers(stream))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(id: u32, _: usize, _: u32) -> u32 {
    stream(id, |stream| {
        stream.runtime.response(stream);
        Flow::Continue
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_done(id: u32) -> u32 {
    let gone = CONTEXTS.with_borrow_mut(|contexts| contexts.remove(id));
    match gone {
        Some(Context::Root(root)) => root.done(),
        Some(Context::Stream(stream)) => stream.runtime.gone(&stream),
        None => {}
    }
    1
}
