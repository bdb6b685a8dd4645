//! The games of the bench on an ordinary Tiltyard server.

tiltyard_server::main!(
    tiltyard_scenes::Walkers,
    tiltyard_scenes::Population,
    tiltyard_scenes::Ballast,
    tiltyard_scenes::Still
);
