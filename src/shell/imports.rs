//! Our own declarations of the host's functions (proxy-wasm ABI 0.2.1, WASI preview 1).
//!
//! The SDK's wrappers stop the VM for a header value that is not UTF-8 and for most statuses, which costs every other
//! request on the worker its answer. These hand over bytes, and every status as a value. The SDK's callbacks (`exports`) are
//! left out with them: they stop the VM for a context that is not known, and the host enters the VM for each of them.

use std::cell::Cell;
use std::ptr::{null_mut, slice_from_raw_parts_mut};

/// The status of a host call. The ABI knows more than these; what is not `Ok` is a failure, and what kind matters twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was done.
    Ok,
    /// There is no such thing.
    NotFound,
    /// Somebody wrote in between.
    CasMismatch,
    /// Any other.
    Failed(u32),
}

impl Status {
    const fn of(code: u32) -> Self {
        match code {
            0 => Self::Ok,
            1 => Self::NotFound,
            8 => Self::CasMismatch,
            other => Self::Failed(other),
        }
    }
}

/// Maps of header fields, by the host's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Map {
    /// The request's header fields.
    Request = 0,
    /// The request's trailers.
    RequestTrailers = 1,
    /// The response's header fields.
    Response = 2,
    /// The header fields of a call's answer.
    Call = 6,
    /// The trailers of a call's answer.
    CallTrailers = 7,
}

/// Buffers, by the host's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Buffer {
    /// The request's body.
    RequestBody = 0,
    /// The body of a call's answer.
    Call = 4,
    /// The VM's configuration for this plugin.
    Configuration = 7,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, line: *const u8, size: usize) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_replace_header_map_value(map: u32, n: *const u8, n_size: usize, v: *const u8, v_size: usize) -> u32;
    fn proxy_add_header_map_value(map: u32, n: *const u8, n_size: usize, v: *const u8, v_size: usize) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_buffer_bytes(buffer: u32, start: usize, most: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32;
    fn proxy_set_buffer_bytes(buffer: u32, start: usize, size: usize, data: *const u8, data_size: usize) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        milliseconds: u32,
        token: *mut u32,
    ) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_register_shared_queue(name: *const u8, size: usize, queue: *mut u32) -> u32;
    fn proxy_enqueue_shared_queue(queue: u32, data: *const u8, size: usize) -> u32;
    fn proxy_dequeue_shared_queue(queue: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, value_size: usize, cas: u32) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        argument: *const u8,
        argument_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(buffer: *mut u8, size: usize) -> u32;
    fn clock_time_get(clock: u32, precision: u64, nanoseconds: *mut u64) -> u32;
}

thread_local! {
    /// What the system's clock said in the callback that runs.
    static NOW: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Takes over what the host left in memory that it allocated through `proxy_on_memory_allocate`.
fn take(data: *mut u8, size: usize) -> Box<[u8]> {
    if data.is_null() || size == 0 {
        return Box::default();
    }
    // SAFETY: the ABI hands over memory of exactly `size` bytes, allocated in `exports` as a boxed slice.
    unsafe { Box::from_raw(slice_from_raw_parts_mut(data, size)) }
}

fn boxed(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Box<[u8]>, Status> {
    let (mut data, mut size) = (null_mut(), 0);
    match Status::of(call(&mut data, &mut size)) {
        Status::Ok => Ok(take(data, size)),
        status => Err(status),
    }
}

fn bytes(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, Status> {
    boxed(call).map(Vec::from)
}

fn done(code: u32) -> Result<(), Status> {
    match Status::of(code) {
        Status::Ok => Ok(()),
        status => Err(status),
    }
}

/// Writes a log line; levels are the ABI's, 0 (trace) to 5 (critical).
pub fn log(level: u32, line: &str) {
    // SAFETY: pointer and size are of one live slice, as in every call below.
    unsafe { proxy_log(level, line.as_ptr(), line.len()) };
}

/// All fields of a map, in the host's own form.
pub fn fields(map: Map) -> Result<Box<[u8]>, Status> {
    boxed(|data, size| unsafe { proxy_get_header_map_pairs(map as u32, data, size) })
}

/// The value of one field of a map.
pub fn field(map: Map, name: &str) -> Result<Vec<u8>, Status> {
    bytes(|data, size| unsafe { proxy_get_header_map_value(map as u32, name.as_ptr(), name.len(), data, size) })
}

/// Whether a map has a field of this name. Asked for every answer of a service, most of which have none: no status is made of
/// what the host says.
pub fn has_field(map: Map, name: &str) -> bool {
    let (mut data, mut size) = (null_mut(), 0);
    let code = unsafe { proxy_get_header_map_value(map as u32, name.as_ptr(), name.len(), &mut data, &mut size) };
    let is_there = code == 0;
    if is_there {
        drop(take(data, size));
    }
    is_there
}

/// Sets a field in place of all of its name.
pub fn set_field(map: Map, name: &str, value: &[u8]) -> Result<(), Status> {
    done(unsafe { proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Adds a field beside those of its name.
pub fn add_field(map: Map, name: &str, value: &[u8]) -> Result<(), Status> {
    done(unsafe { proxy_add_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Removes all fields of a name.
pub fn remove_field(map: Map, name: &str) -> Result<(), Status> {
    done(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

/// At most `most` bytes of a buffer, from its beginning.
pub fn buffer(buffer: Buffer, most: usize) -> Result<Vec<u8>, Status> {
    bytes(|data, size| unsafe { proxy_get_buffer_bytes(buffer as u32, 0, most, data, size) })
}

/// A property of the stream in force, by its path's segments.
pub fn property(path: &[&str]) -> Result<Vec<u8>, Status> {
    let path = path.join("\0");
    bytes(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// Sets a property of the stream in force, under a path of one segment.
pub fn set_property(name: &str, value: &[u8]) -> Result<(), Status> {
    done(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Puts `data` in the place of all that a buffer holds.
pub fn set_buffer(buffer: Buffer, data: &[u8]) -> Result<(), Status> {
    done(unsafe { proxy_set_buffer_bytes(buffer as u32, 0, usize::MAX, data.as_ptr(), data.len()) })
}

/// Answers the request of the stream in force; `headers` in the host's own form.
pub fn respond(status: u32, headers: &[u8], body: &[u8]) -> Result<(), Status> {
    let details = "oidc";
    done(unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            -1,
        )
    })
}

/// Sends a request to a cluster; `headers` in the host's own form. Gives back what the answer will carry.
pub fn call(cluster: &str, headers: &[u8], body: &[u8], milliseconds: u32) -> Result<u32, Status> {
    let no_trailers = [0; 4];
    let mut token = 0;
    done(unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            no_trailers.as_ptr(),
            no_trailers.len(),
            milliseconds,
            &mut token,
        )
    })?;
    Ok(token)
}

/// Lets the paused request of the stream in force go on.
pub fn resume_request() -> Result<(), Status> {
    done(unsafe { proxy_continue_stream(0) })
}

/// Lets the calls that follow act on this context.
pub fn enter(context: u32) -> Result<(), Status> {
    done(unsafe { proxy_set_effective_context(context) })
}

/// Asks for ticks; zero for none.
pub fn tick(milliseconds: u32) -> Result<(), Status> {
    done(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
}

/// Makes, or finds, the queue of this name.
pub fn queue(name: &str) -> Result<u32, Status> {
    let mut queue = 0;
    done(unsafe { proxy_register_shared_queue(name.as_ptr(), name.len(), &mut queue) })?;
    Ok(queue)
}

/// Puts an item into a queue.
pub fn enqueue(queue: u32, item: &[u8]) -> Result<(), Status> {
    done(unsafe { proxy_enqueue_shared_queue(queue, item.as_ptr(), item.len()) })
}

/// Takes an item out of a queue.
pub fn dequeue(queue: u32) -> Result<Vec<u8>, Status> {
    bytes(|data, size| unsafe { proxy_dequeue_shared_queue(queue, data, size) })
}

/// Reads shared data, with the number that a writer must show.
pub fn shared(key: &str) -> Result<(Vec<u8>, u32), Status> {
    let mut cas = 0;
    let value = bytes(|data, size| unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &mut cas) })?;
    Ok((value, cas))
}

/// Writes shared data.
pub fn share(key: &str, value: &[u8], cas: u32) -> Result<(), Status> {
    done(unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) })
}

/// Calls a function of the host's own.
pub fn foreign(name: &str, argument: &[u8]) -> Result<Vec<u8>, Status> {
    bytes(|data, size| unsafe {
        proxy_call_foreign_function(name.as_ptr(), name.len(), argument.as_ptr(), argument.len(), data, size)
    })
}

/// Defines a counter.
pub fn counter(name: &str) -> Result<u32, Status> {
    metric(0, name)
}

/// Defines a histogram.
pub fn histogram(name: &str) -> Result<u32, Status> {
    metric(2, name)
}

fn metric(kind: u32, name: &str) -> Result<u32, Status> {
    let mut id = 0;
    done(unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &mut id) })?;
    Ok(id)
}

/// Adds to a counter.
pub fn increment(id: u32, by: i64) -> Result<(), Status> {
    done(unsafe { proxy_increment_metric(id, by) })
}

/// Notes a value for a histogram.
pub fn record(id: u32, value: u64) -> Result<(), Status> {
    done(unsafe { proxy_record_metric(id, value) })
}

/// Random bytes of the system's.
pub fn random(buffer: &mut [u8]) -> Result<(), Status> {
    // SAFETY: as above; the host writes `buffer.len()` bytes.
    done(unsafe { random_get(buffer.as_mut_ptr(), buffer.len()) })
}

/// Nanoseconds since 1970, by WASI's clock: the ABI's own is missing on some hosts.
pub fn since_epoch() -> Result<u64, Status> {
    if let Some(now) = NOW.get() {
        return Ok(now);
    }
    let now = clock(0)?;
    NOW.set(Some(now));
    Ok(now)
}

/// Nanoseconds of the system's clock that never goes back, from a start that all VMs of the process share; the standard
/// library tells differences alone.
pub fn monotonic() -> Result<u64, Status> {
    clock(1)
}

/// A callback begins: until the next one, the system's clock stands still.
pub fn time_moves() {
    NOW.set(None);
}

fn clock(which: u32) -> Result<u64, Status> {
    let mut nanoseconds = 0;
    // SAFETY: as above; the host writes one number.
    done(unsafe { clock_time_get(which, 1, &raw mut nanoseconds) }).map(|()| nanoseconds)
}
