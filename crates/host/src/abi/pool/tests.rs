//! Pieces never overlap, keep their bytes, and come back.
//!
//! `unsafe` here is what the allocator's trait asks for: each piece is given back once, with the size
//! that it was taken with.

use std::alloc::{GlobalAlloc, Layout};

use super::{BYTES, CLASSES, LARGEST, Pool, class_of, size_of_class};

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).unwrap()
}

#[test]
fn a_class_is_as_large_as_what_is_asked_for_and_at_most_twice_that() {
    for size in 1..=LARGEST {
        let class = class_of(size);
        assert!(class < CLASSES && size_of_class(class) >= size, "{size}");
        assert!(size_of_class(class) < size + size.max(16), "{size}");
    }
}

/// A random walk of pieces that are taken, resized and given back, each filled with a byte of its own.
#[test]
fn pieces_keep_their_bytes() {
    let pool = Box::new(Pool::new());
    let mut held: Vec<(*mut u8, usize, u8)> = Vec::new();
    let mut random = 1u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from((random >> 33) % below).unwrap()
    };
    for round in 0..40_000usize {
        let mark = u8::try_from(round % 251).unwrap();
        pool.is_open.set(next(8) > 0);
        match next(3) {
            0 if held.len() < 300 => {
                let size = 1 + next(6_000);
                let piece = unsafe { pool.alloc(layout(size)) };
                assert!(piece.addr().is_multiple_of(8));
                unsafe { piece.write_bytes(mark, size) };
                held.push((piece, size, mark));
            }
            1 if !held.is_empty() => {
                let at = next(held.len() as u64);
                let (piece, size, mark) = held[at];
                let grown = 1 + next(6_000);
                let piece = unsafe { pool.realloc(piece, layout(size), grown) };
                let kept = unsafe { std::slice::from_raw_parts(piece, size.min(grown)) };
                assert!(kept.iter().all(|byte| *byte == mark), "{size} to {grown}");
                unsafe { piece.write_bytes(mark, grown) };
                held[at] = (piece, grown, mark);
            }
            _ if !held.is_empty() => {
                let at = next(held.len() as u64);
                let (piece, size, mark) = held.swap_remove(at);
                let kept = unsafe { std::slice::from_raw_parts(piece, size) };
                assert!(kept.iter().all(|byte| *byte == mark), "{size}");
                unsafe { pool.dealloc(piece, layout(size)) };
            }
            _ => {}
        }
    }
    for (piece, size, _) in held {
        unsafe { pool.dealloc(piece, layout(size)) };
    }
}

#[test]
fn what_was_given_back_is_given_out_again_and_an_empty_pool_is_no_end() {
    let pool = Box::new(Pool::new());
    pool.serve(|| {
        let first = unsafe { pool.alloc(layout(24)) };
        unsafe { pool.dealloc(first, layout(24)) };
        assert_eq!(unsafe { pool.alloc(layout(32)) }, first);
        let pieces: Vec<_> = (0..=BYTES / 1024).map(|_| unsafe { pool.alloc(layout(1024)) }).collect();
        assert!(pool.owns(pieces[0]) && !pool.owns(*pieces.last().unwrap()));
        // What outlives the request does not come from the pool either.
        let lasting = pool.leave(|| unsafe { pool.alloc(layout(24)) });
        assert!(!pool.owns(lasting));
        unsafe { pool.dealloc(lasting, layout(24)) };
        pieces.into_iter().for_each(|piece| unsafe { pool.dealloc(piece, layout(1024)) });
    });
    // A policy is loaded: it takes nothing from the pool.
    let piece = unsafe { pool.alloc(layout(24)) };
    assert!(!pool.owns(piece));
    unsafe { pool.dealloc(piece, layout(24)) };
}
