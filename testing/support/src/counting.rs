//! The allocator of test binaries: it counts what a piece of code takes, thread by thread, so that tests may run side by
//! side. A binary that is to count makes [`Counting`] its global allocator. Not for shipped code.

#![expect(unsafe_code, reason = "allocators are unsafe by their trait; this one counts and hands on to the system's")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// What a piece of code took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How often it asked for memory: new blocks, and old ones to grow.
    pub count: usize,
    /// Most bytes that it held at a time.
    pub peak: usize,
    /// The largest block.
    pub largest: usize,
}

/// Runs a piece of code and says what it took. What it returns still lives, so that freeing it is not measured. A part of
/// the code may be measured within.
pub fn measure<T>(run: impl FnOnce() -> T) -> (T, Taken) {
    let (outer, outer_held) = COUNTS.take();
    let result = run();
    let (taken, held) = COUNTS.get();
    let whole = Taken {
        count: outer.count + taken.count,
        peak: outer.peak.max((outer_held + taken.peak as isize).max(0) as usize),
        largest: outer.largest.max(taken.largest),
    };
    COUNTS.set((whole, outer_held + held));
    (result, taken)
}

thread_local! {
    /// What this thread took since it last began to measure, and what it holds of that now.
    static COUNTS: Cell<(Taken, isize)> = const { Cell::new((Taken { count: 0, peak: 0, largest: 0 }, 0)) };
}

fn took(bytes: usize) {
    let (taken, held) = COUNTS.get();
    let held = held + bytes as isize;
    let peak = taken.peak.max(held.max(0) as usize);
    COUNTS.set((Taken { count: taken.count + 1, peak, largest: taken.largest.max(bytes) }, held));
}

fn gave(bytes: usize) {
    let (taken, held) = COUNTS.get();
    COUNTS.set((taken, held - bytes as isize));
}

/// See the [module](self).
#[derive(Debug)]
pub struct Counting;

// SAFETY: every call goes to the system's allocator as it came; counting touches a plain cell and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        gave(layout.size());
        unsafe { System.dealloc(block, layout) }
    }

    /// Counts both blocks, as if each had to move.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        took(size);
        gave(layout.size());
        unsafe { System.realloc(block, layout, size) }
    }
}
