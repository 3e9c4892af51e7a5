//! Small memory for requests: freed pieces are kept by size, and given out again.
//!
//! The standard library's allocator keeps no pieces by size on this target: it cuts and joins, about a
//! hundred instructions for each of the dozens of pieces that a request takes and gives back. Pieces of
//! this pool are never joined, so policies, which are loaded once, do not take from it: what a policy
//! frees would be lost to the next one. Whoever finds the pool empty gets memory as before.
#![expect(unsafe_code, reason = "an allocator; a VM has one thread, and nobody sees the pool but this file")]
#![expect(clippy::cast_ptr_alignment, reason = "every piece is aligned to 16 bytes")]
#![expect(clippy::large_stack_arrays, reason = "it is a static")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::ptr::null_mut;

/// The bytes of the pool: as many as some hundred open requests hold.
const BYTES: usize = 128 * 1024;
/// Pieces up to this size come in steps of [`STEP`]; larger ones are powers of two.
const SMALL: usize = 256;
/// No type in a module asks for more than this alignment.
const STEP: usize = 16;
/// The largest piece: the headers of a large request.
const LARGEST: usize = 4096;
/// Sixteen steps, and four powers of two.
const CLASSES: usize = SMALL / STEP + 4;

/// The allocator of a module.
pub(crate) struct Pool {
    memory: Memory,
    /// Where the part begins that was never given out.
    fresh: Cell<usize>,
    /// Freed pieces of each class: each begins with the address of the next.
    free: [Cell<*mut u8>; CLASSES],
    /// Whether a request is being served.
    is_open: Cell<bool>,
}

#[repr(align(16))]
struct Memory(UnsafeCell<[u8; BYTES]>);

// SAFETY: a VM has one thread.
unsafe impl Sync for Pool {}

impl Pool {
    pub(crate) const fn new() -> Self {
        Self {
            memory: Memory(UnsafeCell::new([0; BYTES])),
            fresh: Cell::new(0),
            free: [const { Cell::new(null_mut()) }; CLASSES],
            is_open: Cell::new(false),
        }
    }

    /// Serves a request from the pool.
    pub(crate) fn serve<T>(&self, request: impl FnOnce() -> T) -> T {
        self.within(true, request)
    }

    /// Makes what outlives the request.
    pub(crate) fn leave<T>(&self, made: impl FnOnce() -> T) -> T {
        self.within(false, made)
    }

    fn within<T>(&self, is_open: bool, run: impl FnOnce() -> T) -> T {
        let before = self.is_open.replace(is_open);
        let result = run();
        self.is_open.set(before);
        result
    }

    fn owns(&self, piece: *mut u8) -> bool {
        piece.addr().wrapping_sub(self.memory.0.get().addr()) < BYTES
    }

    /// A piece of this class, or null if there is none.
    fn take(&self, class: usize) -> *mut u8 {
        let Some(free) = self.free.get(class) else { return null_mut() };
        let piece = free.get();
        if !piece.is_null() {
            // SAFETY: a free piece begins with the address of the next, which `give` wrote.
            free.set(unsafe { piece.cast::<*mut u8>().read() });
            return piece;
        }
        let begin = self.fresh.get();
        let end = begin.saturating_add(size_of_class(class));
        if end > BYTES {
            return null_mut();
        }
        self.fresh.set(end);
        // SAFETY: within the memory, because its end is.
        unsafe { self.memory.0.get().cast::<u8>().add(begin) }
    }

    /// Takes back a piece of this class.
    fn give(&self, piece: *mut u8, class: usize) {
        if let Some(free) = self.free.get(class) {
            // SAFETY: the piece has room for an address, is aligned for it, and nobody holds it any more.
            unsafe { piece.cast::<*mut u8>().write(free.get()) };
            free.set(piece);
        }
    }
}

/// The class of a size; at least [`CLASSES`] if there is none.
const fn class_of(size: usize) -> usize {
    if size <= SMALL {
        size.saturating_sub(1) / STEP
    } else {
        // 257 to 512 is the first class after the small ones.
        (SMALL / STEP).saturating_add((size.saturating_sub(1) / SMALL).ilog2() as usize)
    }
}

const fn size_of_class(class: usize) -> usize {
    match class.checked_sub(SMALL / STEP) {
        None => class.saturating_add(1).saturating_mul(STEP),
        Some(power) => (2 * SMALL) << power,
    }
}

const _: () = assert!(class_of(LARGEST) == CLASSES - 1 && class_of(LARGEST + 1) == CLASSES);
const _: () = assert!(size_of_class(CLASSES - 1) == LARGEST && class_of(SMALL + 1) == SMALL / STEP);

// SAFETY: a piece is given out once until it is given back, is aligned to 16 bytes, and has the size of
// its class, which is at least what was asked for; anything else is the system's.
unsafe impl GlobalAlloc for Pool {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.is_open.get() && layout.align() <= STEP {
            let piece = self.take(class_of(layout.size()));
            if !piece.is_null() {
                return piece;
            }
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        if self.owns(piece) {
            self.give(piece, class_of(layout.size()));
        } else {
            // SAFETY: the caller's promise; the pool does not own it, so the system gave it out.
            unsafe { System.dealloc(piece, layout) }
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !self.owns(piece) {
            // SAFETY: the caller's promise; the pool does not own it, so the system gave it out.
            return unsafe { System.realloc(piece, layout, size) };
        }
        if class_of(size) == class_of(layout.size()) {
            return piece;
        }
        // SAFETY: the alignment is unchanged, and the caller promises that the size is valid for it.
        let grown = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !grown.is_null() {
            // SAFETY: two pieces that do not overlap, each at least as large.
            unsafe { piece.copy_to_nonoverlapping(grown, layout.size().min(size)) };
            self.give(piece, class_of(layout.size()));
        }
        grown
    }
}

#[cfg(test)]
mod tests;
