//! The server of the whiteboard.

tiltyard_server::main!(whiteboard::Whiteboard);
