//! The derive macros of Tiltyard: [`macro@Replicate`] for entities, [`macro@Wire`] for inputs, events and configs.
//!
//! Use them through `tiltyard_shared::prelude`, where the traits of the same names are. The macros look at attributes
//! only. Traits in `tiltyard_shared` decide which types they fit, so aliases and constants work in them.

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

mod input;
mod replicate;
#[cfg(test)]
mod tests;
mod wire;

/// Makes a struct or enum an entity (trait `Replicate`), or an enum without any fields a lane (trait `Lane`).
///
/// A struct is one *kind*. An enum has one kind a variant, 256 at most; a variant is a unit, has named fields, or holds
/// one struct that derives `Replicate`. A kind has at most 64 lanes and blobs. Derive serde's two traits and `Clone`
/// beside this one, except for an enum without fields, which needs none of them.
///
/// ```
/// use tiltyard_shared::prelude::*;
///
/// const WIDTH: f32 = 2048.0;
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Replicate)]
/// struct Fighter {
///     #[replicate(range = 0.0..WIDTH, step = 0.0625)]
///     pos: [f32; 2],
///     #[replicate(angle = 8)]
///     aim: f32,
///     #[replicate(range = 0..=100)]
///     health: u8,
///     team: Team,
///     target: Option<EntityId>,
///     #[replicate(max_len = 24)]
///     name: String,
///     #[replicate(teleport)]
///     respawns: u8,
///     #[replicate(skip)]
///     cooldown: f32,
/// }
///
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize, Replicate)]
/// enum Team {
///     Red,
///     Blue,
/// }
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Replicate)]
/// enum Thing {
///     Fighter(Fighter),
///     Shot {
///         #[replicate(range = 0.0..WIDTH, step = 0.0625)]
///         pos: [f32; 2],
///     },
///     Flag,
/// }
///
/// let kinds = Thing::schema().kinds;
/// assert_eq!(kinds[0].lanes[1].name, "pos.1");
/// assert_eq!(kinds[0].lanes[1].quantizer.bits(), 15);
/// assert_eq!(kinds[2].name, "Flag");
/// ```
///
/// # Without attributes
///
/// | type | lanes |
/// | --- | --- |
/// | `bool` | one of 1 bit |
/// | `u8` to `u32`, `i8` to `i32` | one of 8 to 32 bits |
/// | an enum without fields that derives `Replicate` | one, of the bits that its variants need |
/// | `EntityId`, `Option<EntityId>` | one of 32 bits: the slot, and the low 16 bits of the generation |
/// | `PlayerId`, `Tick` | one of 32 bits |
/// | `[T; N]` of these | those of each item, named `field.0`, `field.1`, … |
///
/// # Attributes
///
/// All but `codings` belong on fields, as in `#[replicate(range = 0.0..=1.0, step = 0.01, teleport)]`, each at most
/// once. Numbers may be any constant expressions that do not name `Self`.
///
/// | attribute | of | means |
/// | --- | --- | --- |
/// | `range = a..=b, step = s` | floats, arrays | fixed point: a, a + s, … up to the value nearest to b (`a..b`: below b) |
/// | `angle = bits` | floats, arrays | radians, wrapping, 2^bits steps a turn, 1 to 24 bits; shown from 0 up to tau |
/// | `range = a..=b` or `a..b` | integers up to 64 bits, arrays | the integers of the range, at most 2^32 |
/// | `max_len = bytes` (a `u32`) | `String`, `Vec<u8>` | a blob of at most this many bytes, replicated whole |
/// | `skip` | any `Default` | stays on the server; a client restores the default |
/// | `teleport` | lanes | a counter: when it changes, clients snap instead of gliding. Default: no |
/// | `linear` | `range` with `step`, at most 2^24 steps | goes on at the rate at which it last changed; see below |
/// | `golomb = k` | lanes | most changes are below 2^k steps, 0 to 31. Default: a guess by width |
///
/// A `linear` lane is for fields that mostly move straight on: walkers, shots. A client is told a value and a rate, and
/// told again only when the field is elsewhere than these lead. A field that jumps about, or moves one step and stops,
/// is told twice as often.
///
/// # Learned codings
///
/// `#[replicate(codings = "codings.txt")]` on the entity itself names a file, beside the source file, of codings that
/// were learned from play: common changes and values then take fewer bits. Learn when the game plays as intended and
/// bytes matter: `tiltyard learn GAME`, which your own binary has as well, prints the file;
/// `tiltyard_shared::learn::Recording` learns more from players who act like yours. Name the file here and commit both.
/// The schema carries the codings, so clients need nothing. A value that was never recorded still has a code. A field
/// whose type or quantizer differs from that of its line in the file is coded by default, and the build warns of a
/// deprecated `check` that names lane and file: learn again, or delete the line.
///
/// # Values out of bounds
///
/// No value of a field fails or panics. A value out of range takes the nearest end, NaN counts as 0, an angle that is
/// not finite is 0, and a text that is too long is cut before the character that does not fit. `Quantized::errors`
/// counts each of these (but not a value less than a step out of a fixed-point range: that is rounding). Choose a step
/// of at least four times the resolution of the field's own type at its largest values (for `f32`: the value / 2^22);
/// otherwise clients may show the value of a neighbouring code.
///
/// # Errors
///
/// All of these are compile errors. A float, text or 64-bit integer without an attribute:
///
/// ```compile_fail
/// # use tiltyard_shared::prelude::*;
/// #[derive(Clone, Serialize, Deserialize, Replicate)]
/// struct Ball {
///     x: f32,
/// }
/// ```
///
/// An attribute that does not fit the type:
///
/// ```compile_fail
/// # use tiltyard_shared::prelude::*;
/// #[derive(Clone, Serialize, Deserialize, Replicate)]
/// struct Ball {
///     #[replicate(range = 0.0..=1.0, step = 0.1)]
///     x: u8,
/// }
/// ```
///
/// A range or step that makes no sense, or does not fit 32 bits:
///
/// ```compile_fail
/// # use tiltyard_shared::prelude::*;
/// #[derive(Clone, Serialize, Deserialize, Replicate)]
/// struct Ball {
///     #[replicate(range = 0.0..=1e9, step = 0.01)]
///     x: f64,
/// }
/// ```
///
/// More than 64 lanes and blobs in one kind:
///
/// ```compile_fail
/// # use tiltyard_shared::prelude::*;
/// #[derive(Clone, Serialize, Deserialize, Replicate)]
/// struct Board {
///     cells: [[u8; 8]; 8],
///     turn: bool,
/// }
/// ```
///
/// A variant that holds anything but one struct:
///
/// ```compile_fail
/// # use tiltyard_shared::prelude::*;
/// #[derive(Clone, Serialize, Deserialize, Replicate)]
/// enum Thing {
///     Coin(u32),
///     Wall,
/// }
/// ```
///
/// Unions, generic types, attributes elsewhere than on fields, unknown ones, and ones that exclude each other; a file
/// of codings that does not exist, or has a malformed line.
#[proc_macro_derive(Replicate, attributes(replicate))]
pub fn derive_replicate(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    replicate::expand(&item).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Makes a struct or enum a value that is sent: an input, an event, a config, or a part of these (trait `Wire`).
///
/// Structs and variants may be units, tuples, or have named fields. Derive `Clone`, `Debug` and serde's two traits
/// beside this one. Types of fields: `bool`, integers up to 64 bits, `f32`, `f64`, `String`, `Vec<T>`, `Option<T>`,
/// `[T; N]` (N up to 32), `()`, `EntityId`, `PlayerId`, and types that derive `Wire`.
///
/// ```
/// use tiltyard_shared::prelude::*;
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Wire)]
/// enum Input {
///     Stop,
///     Move { x: f32, y: f32 },
///     Say(#[wire(max_len = 80)] String),
///     Attack(Vec<EntityId>),
/// }
///
/// assert!(Input::Move { x: 1.0, y: 0.0 }.is_bounded());
/// assert!(!Input::Say("x".repeat(81)).is_bounded());
/// assert!(!Input::Attack(vec![EntityId::NONE; 257]).is_bounded());
/// ```
///
/// # Attributes
///
/// | attribute | of | means |
/// | --- | --- | --- |
/// | `max_len = n` (a `u32`) | `String`, `Vec<T>`, `Option` of these | most bytes, or items. Default: 256 |
///
/// The bound applies to the field itself: in a `Vec<String>` it is that of the list, while each text keeps the default.
///
/// `Wire::is_bounded` is false for a value that is longer, and for a float that is not finite, at any depth.
///
/// Serde's attributes `alias`, `bound`, `crate`, `default`, `deny_unknown_fields`, `expecting` and `rename…` are
/// allowed; all others would change the bytes, and so contradict the schema.
///
/// # Errors
///
/// All of these are compile errors. A type that is none of the above:
///
/// ```compile_fail
/// # use tiltyard_shared::prelude::*;
/// #[derive(Clone, Debug, Serialize, Deserialize, Wire)]
/// struct Score {
///     points: usize,
/// }
/// ```
///
/// A type that contains itself (the compiler calls it a cycle in `DEPTH`), because decoding hostile bytes must end; and
/// more than 32 levels:
///
/// ```compile_fail
/// # use tiltyard_shared::prelude::*;
/// #[derive(Clone, Debug, Serialize, Deserialize, Wire)]
/// struct Tree {
///     children: Vec<Tree>,
/// }
/// ```
///
/// Unions, generic types, enums without variants, `max_len` on a type without a length, other attributes of serde.
#[proc_macro_derive(Wire, attributes(wire))]
pub fn derive_wire(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    wire::expand(&item).unwrap_or_else(|error| error.to_compile_error()).into()
}
