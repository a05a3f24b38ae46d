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

thread_local! {
    /// The plugin configurations, by the numbers of their contexts.
    static ROOTS: RefCell<ByNumber<Rc<Root>>> = const { RefCell::new(ByNumber::new()) };
    /// The requests, by theirs: the host counts all contexts in one row.
    static STREAMS: RefCell<ByNumber<Rc<Stream>>> = const { RefCell::new(ByNumber::new()) };
}

/// The root context of a callback that begins. Nothing stays borrowed while a callback runs: the host may call back in the middle
/// of it.
fn root(id: u32) -> Option<Rc<Root>> {
    imports::time_moves();
    ROOTS.with_borrow(|roots| roots.get(id).cloned())
}

/// The same of a request's.
fn stream(id: u32) -> Option<Rc<Stream>> {
    imports::time_moves();
    STREAMS.with_borrow(|streams| streams.get(id).cloned())
}

/// What a stream's callback answers. A context that is not there, or is not a stream, lets nothing through.
fn pass(id: u32, then: impl FnOnce(&Rc<Stream>) -> Flow) -> u32 {
    match stream(id).map_or(Flow::Pause, |stream| then(&stream)) {
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
    if parent == 0 {
        return new_root(id);
    }
    if let Some(stream) = ROOTS.with_borrow(|roots| roots.get(parent).map(|root| root.stream(id))) {
        STREAMS.with_borrow_mut(|streams| streams.insert(id, stream));
    }
}

#[inline(never)]
fn new_root(id: u32) {
    let root = Rc::new(Root::new());
    ROOTS.with_borrow_mut(|roots| roots.insert(id, root));
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
    if let Some(root) = root(id) {
        root.call_answered(token, fields, size);
    } else if let Some(stream) = stream(id) {
        stream.runtime.call_answered(Some(stream.id), token, fields, size);
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(id: u32, _: usize, end: u32) -> u32 {
    pass(id, |stream| stream.runtime.request(stream, end != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(id: u32, size: usize, end: u32) -> u32 {
    pass(id, |stream| stream.runtime.request_body(stream, size, end != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(id: u32, _: usize) -> u32 {
    pass(id, |stream| stream.runtime.request_trailers(stream))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(id: u32, _: usize, _: u32) -> u32 {
    pass(id, |stream| {
        stream.runtime.response(stream);
        Flow::Continue
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_done(id: u32) -> u32 {
    if let Some(stream) = STREAMS.with_borrow_mut(|streams| streams.remove(id)) {
        stream.runtime.gone(&stream);
    } else if let Some(root) = ROOTS.with_borrow_mut(|roots| roots.remove(id)) {
        root.done();
    }
    1
}
