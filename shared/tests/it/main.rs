//! Shared's tests from outside: hostile bytes, grids, the slips that `check_game` must find, and
//! codings of what has changed.

use tiltyard_test_support::{counting, damage};

mod decoding;
mod grid;
mod saved;
mod schemas;
mod slips;
mod stale;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;
