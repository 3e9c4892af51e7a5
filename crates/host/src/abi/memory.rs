//! The memory that Envoy writes to: it asks for a place here before it returns a value.
//!
//! Every place is a boxed slice of exactly the length that Envoy asked for. Nobody else holds it until
//! the call has returned, and then whoever made the call takes it over.
#![expect(unsafe_code, reason = "memory that is handed over; see above")]

use std::ptr::{null_mut, slice_from_raw_parts_mut};

/// Makes a place for a value of this size. Envoy calls it while a call of ours is under way.
pub fn allocate(size: usize) -> *mut u8 {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(size)).cast()
}

/// Where a call writes the address and the length of what it returns.
#[repr(C)]
pub(super) struct Returned {
    pub(super) address: *mut u8,
    pub(super) length: usize,
}

impl Returned {
    pub(super) fn nothing() -> Self {
        Self { address: null_mut(), length: 0 }
    }

    /// Takes over what was returned. Where nothing was written the value is empty.
    ///
    /// # Safety
    ///
    /// Only a host call may have written to it.
    pub(super) unsafe fn take(self) -> Box<[u8]> {
        if self.address.is_null() {
            return Box::default();
        }
        // SAFETY: a boxed slice of this length, made by `allocate` for this call alone.
        unsafe { Box::from_raw(slice_from_raw_parts_mut(self.address, self.length)) }
    }
}
