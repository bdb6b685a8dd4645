//! The server of the auction.

tiltyard_server::main!(auction::Auction);
