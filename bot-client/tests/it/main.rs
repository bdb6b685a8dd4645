//! The client's pure parts against vectors that the JavaScript SDK has written.

mod time;
