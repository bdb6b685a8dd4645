//! What an author is told who gets an attribute wrong. (What the compiler finds is in the documentation's examples.)

use proc_macro2::TokenStream;
use syn::{DeriveInput, Result, parse_str};

use crate::{replicate, wire};

fn told(expand: fn(&DeriveInput) -> Result<TokenStream>, item: &str) -> String {
    expand(&parse_str(item).unwrap()).map_or_else(|error| error.to_string(), |code| code.to_string())
}

/// What is told of a field's `#[replicate(…)]`.
fn of_field(attributes: &str) -> String {
    told(replicate::expand, &format!("struct S {{ #[replicate({attributes})] x: f32 }}"))
}

#[test]
fn attributes_of_replicate_are_checked() {
    let unknown = "not one of `range`, `step`, `angle`, `max_len`, `skip`, `teleport`, `linear`, `golomb`";
    let alone = "`range`, `angle`, `max_len` and `skip` exclude each other";
    let cases = [
        ("glide", unknown),
        ("linear", "`linear` goes with a `range` and a `step`"),
        ("linear, range = 0..=9", "`linear` goes with a `range` and a `step`"),
        ("linear, range = 0.0..=9.0, step = 1.0, skip", "`linear` goes with a `range` and a `step`"),
        ("a::b", unknown),
        ("step = 0.5", "a `step` goes with a `range`"),
        ("range = 0.0..=1.0", "a range of floats needs a `step`, as in `step = 0.25`"),
        ("range = -(1.0)..=1", "a range of floats needs a `step`, as in `step = 0.25`"),
        ("range = 0.., step = 1", "a range has both ends, as in `0..=100`"),
        ("range = .., step = 1", "a range has both ends, as in `0..=100`"),
        ("range = 5", "not a range such as `0..=100` or `-1.0..1.0`"),
        ("angle = 8, angle = 9", "said twice"),
        ("skip, skip", "said twice"),
        ("angle = 8, range = 0..=1", alone),
        ("angle = 8, range = 0..=1, step = 1", alone),
        ("angle = 8, max_len = 4", alone),
        ("max_len = 8, skip", alone),
        ("angle = 8, step = 1", "a `step` goes with a `range`"),
        ("golomb = 32", "an order is 0 to 31"),
        ("golomb = K", "expected integer literal"),
        ("skip, teleport", "this is for lanes"),
        ("max_len = 9, golomb = 3", "this is for lanes"),
        ("range", "expected `=`"),
    ];
    for (attributes, message) in cases {
        assert_eq!(of_field(attributes), message, "{attributes}");
    }
}

#[test]
fn shapes_that_cannot_be_replicated_are_refused() {
    let variants = (0..257).map(|index| format!("V{index}, ")).collect::<String>();
    let many = format!("enum E {{ {variants} }}");
    let cases = [
        ("union U { x: u8 }", "a union cannot be replicated"),
        ("struct S<T> { x: T }", "a type that both ends know by name cannot be generic"),
        ("struct S<'a> { x: &'a u8 }", "a type that both ends know by name cannot be generic"),
        ("enum E {}", "an enum that is replicated has 1 to 256 variants"),
        (&many, "an enum that is replicated has 1 to 256 variants"),
        ("enum E { A(u8, u8) }", "name the fields, or hold one struct that derives `Replicate`"),
        ("enum E { A(#[replicate(skip)] S) }", "`#[replicate(…)]` belongs on a field"),
        ("enum E { #[replicate(skip)] A }", "`#[replicate(…)]` belongs on a field"),
        ("#[replicate(skip)] struct S;", "`codings` belongs here, all else on a field"),
        ("#[replicate(codings = \"a\", codings = \"b\")] struct S;", "said twice"),
        ("#[replicate(codings = \"a\")] enum E { A }", "`#[replicate(…)]` belongs on a field"),
    ];
    for (item, message) in cases {
        assert_eq!(told(replicate::expand, item), message, "{item}");
    }
}

#[test]
fn shapes_that_cannot_be_sent_are_refused() {
    let bytes = "this changes the bytes, and so what the schema says of them";
    let cases = [
        ("union U { x: u8 }", "a union cannot be sent"),
        ("enum E {}", "an enum without variants has no values to send"),
        ("struct S<const N: usize>([u8; N]);", "a type that both ends know by name cannot be generic"),
        ("struct S { #[wire(min_len = 1)] x: String }", "not `max_len`"),
        ("struct S { #[wire(max_len = 1, max_len = 2)] x: String }", "said twice"),
        ("#[wire(max_len = 1)] struct S;", "`#[wire(…)]` belongs on a field"),
        ("enum E { #[wire(max_len = 1)] A(String) }", "`#[wire(…)]` belongs on a field"),
        ("struct S { #[serde(skip)] x: u8 }", bytes),
        ("struct S { #[serde(default, with = \"hex\")] x: u8 }", bytes),
        ("#[serde(untagged)] enum E { A }", bytes),
        ("enum E { #[serde(other)] A }", bytes),
    ];
    for (item, message) in cases {
        assert_eq!(told(wire::expand, item), message, "{item}");
    }
    let fine = "#[serde(default, rename_all = \"kebab-case\")] struct S { #[serde(rename = \"y\")] x: u8 }";
    assert!(told(wire::expand, fine).contains("fn arbitrary"));
}
