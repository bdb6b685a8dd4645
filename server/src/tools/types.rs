//! TypeScript declarations of a game's entities, inputs, events and configs, made from its schema: the values of the
//! browser SDK (`web/sdk/replicate.js`, `web/sdk/wire.js`).

use std::fmt::Write as _;

use tiltyard_shared::{
    replicate::{KindSchema, Quantizer},
    schema::Schema,
    wire::{WireField, WireSchema},
};

/// Variants that are longer than this together are written on lines of their own.
const LONGEST_LINE: usize = 100;

/// Longer arrays are declared as lists.
const LONGEST_TUPLE: usize = 8;

/// The text of a `.d.ts` file.
pub(crate) fn declarations(schema: &Schema) -> String {
    let mut out = Declarations { text: String::new(), taken: Vec::new() };
    let game = &schema.game;
    let _ =
        writeln!(out.text, "/** What the game `{game}` sends and takes. Made by: tiltyard schema {game} --types */\n");
    out.taken.extend(["Entity", "Input", "Event", "Config"].map(|name| (name.to_owned(), None)));
    let kinds: Vec<_> = schema.entity.kinds.iter().map(|kind| (&kind.name, out.kind(kind))).collect();
    let parts = [("Input", &schema.input), ("Event", &schema.event), ("Config", &schema.config)];
    let parts = parts.map(|(name, part)| (name, out.body(part)));
    let union: String =
        kinds.iter().map(|(kind, name)| format!("\n  | {{ kind: \"{kind}\"; fields: {name} }}")).collect();
    out.declare("Entity", "What stands in the world, by its kind.", &union);
    for ((name, body), words) in
        parts.into_iter().zip(["What players send.", "What happens once.", "What a room is made from."])
    {
        out.declare(name, words, &format!(" {body}"));
    }
    out.text
}

struct Declarations {
    text: String,
    /// Names in use, with their shapes.
    taken: Vec<(String, Option<WireSchema>)>,
}

impl Declarations {
    /// Declares a type whose body begins with a space or a new line.
    fn declare(&mut self, name: &str, words: &str, body: &str) {
        if !words.is_empty() {
            let _ = writeln!(self.text, "/** {words} */");
        }
        // A body on lines of its own needs no space before it.
        let body = body.strip_prefix(" \n").map_or_else(|| body.to_owned(), |rest| format!("\n{rest}"));
        let _ = writeln!(self.text, "export type {name} ={body};\n");
    }

    /// Finds a free name.
    fn take(&mut self, name: &str, shape: Option<WireSchema>) -> String {
        let is_free = |candidate: &String| self.taken.iter().all(|(taken, _)| taken != candidate);
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let name = std::iter::once(name.to_owned()).chain(numbered).find(is_free).expect("there is always another");
        self.taken.push((name.clone(), shape));
        name
    }

    /// Declares a kind of entity and returns its type's name.
    fn kind(&mut self, kind: &KindSchema) -> String {
        let name = self.take(&kind.name, None);
        let mut fields: Vec<(String, Field)> = Vec::new();
        for lane in &kind.lanes {
            add(&mut fields, &lane.name, value(&lane.quantizer));
        }
        for blob in &kind.blobs {
            add(&mut fields, &blob.name, if blob.text { "string" } else { "Uint8Array" }.to_owned());
        }
        let body: String = fields.iter().map(|(name, field)| format!("\n  {}: {};", key(name), field.text())).collect();
        self.declare(&name, "", &if body.is_empty() { " {}".to_owned() } else { format!(" {{{body}\n}}") });
        name
    }

    /// The type of a value.
    fn wire(&mut self, schema: &WireSchema) -> String {
        match schema {
            WireSchema::Struct { name, .. } | WireSchema::Enum { name, .. } => {
                if let Some((taken, _)) = self.taken.iter().find(|(_, shape)| shape.as_ref() == Some(schema)) {
                    return taken.clone();
                }
                let body = self.body(schema);
                let name = self.take(name, Some(schema.clone()));
                self.declare(&name, "", &format!(" {body}"));
                name
            }
            other => self.body(other),
        }
    }

    /// The type of a value, inline.
    fn body(&mut self, schema: &WireSchema) -> String {
        match schema {
            WireSchema::Unit => "null".to_owned(),
            WireSchema::Bool => "boolean".to_owned(),
            WireSchema::Uint { bits: 64 } | WireSchema::Int { bits: 64 } => "bigint".to_owned(),
            WireSchema::Uint { .. } | WireSchema::Int { .. } | WireSchema::Float { .. } => "number".to_owned(),
            WireSchema::Text { .. } => "string".to_owned(),
            WireSchema::List { item, .. } if matches!(**item, WireSchema::Uint { bits: 8 }) => "Uint8Array".to_owned(),
            WireSchema::List { item, .. } => format!("Array<{}>", self.wire(item)),
            WireSchema::Array { len, item } => array(&vec![self.wire(item); *len as usize]),
            WireSchema::Option { item } => {
                let nullable = matches!(**item, WireSchema::Option { .. } | WireSchema::Unit);
                let item = self.wire(item);
                if nullable { format!("{{ Some: {item} }} | null") } else { format!("{item} | null") }
            }
            WireSchema::Struct { fields, .. } => self.fields(fields),
            WireSchema::Enum { variants, .. } => {
                let variants = variants.iter().map(|variant| match &variant.fields[..] {
                    [] => format!("\"{}\"", variant.name),
                    fields => format!("{{ {}: {} }}", variant.name, self.fields(fields)),
                });
                let variants: Vec<_> = variants.collect();
                let line = variants.join(" | ");
                if line.len() <= LONGEST_LINE { line } else { format!("\n  | {}", variants.join("\n  | ")) }
            }
        }
    }

    fn fields(&mut self, fields: &[WireField]) -> String {
        let types: Vec<_> = fields.iter().map(|field| self.wire(&field.schema)).collect();
        match fields {
            [] => "null".to_owned(),
            [WireField { name, .. }] if name == "0" => types[0].clone(),
            [WireField { name, .. }, ..] if name == "0" => format!("[{}]", types.join(", ")),
            _ => {
                let fields: Vec<_> =
                    fields.iter().zip(&types).map(|(field, text)| format!("{}: {text}", key(&field.name))).collect();
                format!("{{ {} }}", fields.join("; "))
            }
        }
    }
}

/// A field of an entity: one value, or a list of fields.
enum Field {
    One(String),
    Many(Vec<Field>),
}

impl Field {
    fn text(&self) -> String {
        match self {
            Self::One(text) => text.clone(),
            Self::Many(items) => array(&items.iter().map(Self::text).collect::<Vec<_>>()),
        }
    }
}

/// Adds a lane or blob. Its name may be a path to an item of an array: `cells.3.1`.
fn add(fields: &mut Vec<(String, Field)>, path: &str, text: String) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(rest) = rest else { return fields.push((name.to_owned(), Field::One(text))) };
    if fields.last().is_none_or(|(last, _)| last != name) {
        fields.push((name.to_owned(), Field::Many(Vec::new())));
    }
    let Some((_, Field::Many(all))) = fields.last_mut() else { return };
    let mut items = all;
    // Items come in order, so each path continues the last one.
    let parts: Vec<_> = rest.split('.').collect();
    for part in &parts[..parts.len() - 1] {
        if part.parse() == Ok(items.len()) {
            items.push(Field::Many(Vec::new()));
        }
        items = match items.last_mut() {
            Some(Field::Many(inner)) => inner,
            _ => return,
        };
    }
    items.push(Field::One(text));
}

/// The type of a lane's value.
fn value(quantizer: &Quantizer) -> String {
    match quantizer {
        Quantizer::Fixed { .. } | Quantizer::Angle { .. } | Quantizer::Int { .. } => "number".to_owned(),
        Quantizer::Bool => "boolean".to_owned(),
        Quantizer::Choice { names } => {
            let names: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
            names.join(" | ")
        }
        Quantizer::Entity => "{ slot: number; generation: number } | null".to_owned(),
    }
}

/// The type of an array of these items.
fn array(items: &[String]) -> String {
    match items {
        [first, rest @ ..] if items.len() > LONGEST_TUPLE && rest.iter().all(|item| item == first) => {
            format!("Array<{first}>")
        }
        _ => format!("[{}]", items.join(", ")),
    }
}

/// A field's name as an object key: quoted unless it is a plain word.
fn key(name: &str) -> String {
    let word = name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    if word && !name.starts_with(|first: char| first.is_ascii_digit()) { name.to_owned() } else { format!("{name:?}") }
}

#[cfg(test)]
mod tests {
    use tiltyard_shared::{prelude::*, schema::Schema};

    use super::declarations;

    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Replicate)]
    enum Team {
        Red,
        Blue,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
    enum Thing {
        Ball {
            #[replicate(range = 0.0..=1.0, step = 0.1)]
            at: [f32; 2],
            team: Team,
            target: Option<EntityId>,
            cells: [[bool; 2]; 2],
            #[replicate(max_len = 8)]
            name: String,
        },
        Input,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
    enum Order {
        Stop,
        Go { far: u64, to: Spot },
        Say(String),
        Both(i8, Vec<u8>),
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
    struct Spot {
        at: Option<[Option<()>; 2]>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Sample;

    impl Game for Sample {
        const NAME: &'static str = "sample";
        type Config = ();
        type Entity = Thing;
        type Input = Order;
        type Event = Spot;
        fn new((): (), _: &mut Ctx<'_, Self>) -> Self {
            Self
        }
        fn join(&mut self, _: PlayerId, _: &mut Ctx<'_, Self>) {}
        fn leave(&mut self, _: PlayerId, _: Leave, _: &mut Ctx<'_, Self>) {}
        fn tick(&mut self, _: &Inputs<Order>, _: &mut Ctx<'_, Self>) {}
    }

    #[test]
    fn every_shape_has_its_type() {
        let expected = r#"/** What the game `sample` sends and takes. Made by: tiltyard schema sample --types */

export type Ball = {
  at: [number, number];
  team: "Red" | "Blue";
  target: { slot: number; generation: number } | null;
  cells: [[boolean, boolean], [boolean, boolean]];
  name: string;
};

export type Input2 = {};

export type Spot = { at: [{ Some: null } | null, { Some: null } | null] | null };

/** What stands in the world, by its kind. */
export type Entity =
  | { kind: "Ball"; fields: Ball }
  | { kind: "Input"; fields: Input2 };

/** What players send. */
export type Input = "Stop" | { Go: { far: bigint; to: Spot } } | { Say: string } | { Both: [number, Uint8Array] };

/** What happens once. */
export type Event = { at: [{ Some: null } | null, { Some: null } | null] | null };

/** What a room is made from. */
export type Config = null;

"#;
        let made = declarations(&Schema::of::<Sample>());
        assert_eq!(made, expected, "{made}");
    }
}
