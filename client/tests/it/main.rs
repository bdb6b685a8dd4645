//! The client's pure parts against vectors that the JavaScript SDK has written.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod time;
