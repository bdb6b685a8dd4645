//! Shared's tests from outside: hostile bytes, grids, and the slips that `check_game` must find.

mod counting;
mod damage;
mod decoding;
mod grid;
mod slips;
