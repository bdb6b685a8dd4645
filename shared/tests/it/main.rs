//! Shared's tests from outside: hostile bytes, grids, the slips that `check_game` must find, and
//! codings of what has changed.

mod counting;
mod damage;
mod decoding;
mod grid;
mod saved;
mod slips;
mod stale;
