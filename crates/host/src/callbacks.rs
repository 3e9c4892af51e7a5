//! What Envoy calls, passed on to the context that it is for.
//!
//! A root context is one plugin, and a stream context is one request. A module may hold several filters:
//! what a root context is follows from its root id, and a stream context is made by its root context.
//!
//! Envoy gives each context of a VM a number. A callback for a number that is not known is passed over:
//! there is nothing to do for it, and a panic would stop every plugin of the VM.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use crate::{abi, read};

/// Whether a request goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Action {
    /// To the next filter.
    Continue = 0,
    /// No further: it was answered.
    Pause = 1,
}

/// A plugin. Nothing here is called while something else of it is under way, except that it makes
/// streams.
pub trait RootContext {
    /// Envoy has a policy for it. Returns whether it was taken.
    fn configure(&self) -> bool;
    /// The time that it asked for has passed.
    fn tick(&self);
    /// A callout was answered, or given up, and then there are no headers.
    fn call_response(&self, token: u32, has_headers: bool);
    /// It ends.
    fn done(&self);
    /// A request begins.
    fn stream(&self) -> Box<dyn StreamContext>;
}

/// A request, and its response.
pub trait StreamContext {
    /// The request's headers are there.
    fn request_headers(&mut self) -> Action;
    /// The request's trailers are there.
    fn request_trailers(&mut self);
    /// The response's headers are there.
    fn response_headers(&mut self);
    /// It has been served.
    fn log(&mut self);
}

/// Makes the root context for a root id.
pub type NewRoot = fn(&[u8]) -> Rc<dyn RootContext>;

type Streams = HashMap<u32, Box<dyn StreamContext>, BuildHasherDefault<Spread>>;

thread_local! {
    /// A VM has few plugins.
    static ROOTS: RefCell<Vec<(u32, Rc<dyn RootContext>)>> = const { RefCell::new(Vec::new()) };
    static STREAMS: RefCell<Streams> = RefCell::default();
}

/// A context begins: a root context if it has no root, else a stream.
pub fn context_create(id: u32, root: u32, new_root: NewRoot) {
    if root == 0 {
        let root = new_root(&read::root_id());
        ROOTS.with_borrow_mut(|roots| {
            roots.retain(|(known, _)| *known != id);
            roots.push((id, root));
        });
    } else if let Some(root) = root_of(root) {
        let stream = abi::serve(|| root.stream());
        STREAMS.with_borrow_mut(|streams| streams.insert(id, stream));
    }
}

/// A policy has come for a root context. Returns whether it was taken.
pub fn configure(root: u32) -> bool {
    root_of(root).is_some_and(|root| root.configure())
}

/// A root context is woken.
pub fn tick(root: u32) {
    if let Some(root) = root_of(root) {
        root.tick();
    }
}

/// A callout of a root context was answered or given up.
pub fn call_response(root: u32, token: u32, has_headers: bool) {
    if let Some(root) = root_of(root) {
        root.call_response(token, has_headers);
    }
}

/// The headers of a request are there.
pub fn request_headers(id: u32) -> Action {
    on_stream(id, |stream| stream.request_headers()).unwrap_or(Action::Continue)
}

/// The trailers of a request are there.
pub fn request_trailers(id: u32) {
    on_stream(id, |stream| stream.request_trailers());
}

/// The headers of a response are there.
pub fn response_headers(id: u32) {
    on_stream(id, |stream| stream.response_headers());
}

/// A request has been served.
pub fn log(id: u32) {
    on_stream(id, |stream| stream.log());
}

/// A context is no more. Nothing is exported that would be called before: a context could ask for time
/// there, and Envoy would pay for the question at each request.
pub fn delete(id: u32) {
    if STREAMS.with_borrow_mut(|streams| streams.remove(&id)).is_none()
        && let Some(root) = root_of(id)
    {
        root.done();
        ROOTS.with_borrow_mut(|roots| roots.retain(|(known, _)| *known != id));
    }
}

/// Held by a count, because a root context may make host calls for long.
fn root_of(id: u32) -> Option<Rc<dyn RootContext>> {
    ROOTS.with_borrow(|roots| roots.iter().find(|(known, _)| *known == id).map(|(_, root)| root.clone()))
}

fn on_stream<T>(id: u32, call: impl FnOnce(&mut dyn StreamContext) -> T) -> Option<T> {
    STREAMS.with_borrow_mut(|streams| streams.get_mut(&id).map(|stream| abi::serve(|| call(&mut **stream))))
}

/// Envoy numbers contexts in order, so their numbers need no more than to be spread.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    /// The odd number nearest to 2⁶⁴ divided by the golden ratio spreads numbers in order evenly.
    fn write_u32(&mut self, number: u32) {
        self.0 = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }
}
