//! What a type looks like on the wire, found out by decoding it: a deserializer that writes down what it is asked for. So
//! the table of messages follows from the types and not from somebody's list.

use std::fmt;

use serde::{
    Deserialize,
    de::{self, DeserializeSeed, EnumAccess, Error as _, SeqAccess, VariantAccess, Visitor, value::U32Deserializer},
};
use serde_json::{Value, json};

/// The variants of an enum, in the order of their indices: `{ name, fields: [[name, shape]] }`.
pub(crate) fn variants<T: for<'de> Deserialize<'de>>() -> Vec<Value> {
    let (mut found, mut index) = (Vec::new(), 0);
    loop {
        let mut shape = Value::Null;
        let asked = Asked { shape: &mut shape, variant: index };
        if T::deserialize(asked).is_err() {
            return found;
        }
        let name = shape["variant"].clone();
        let fields = match &shape["content"] {
            Value::Null => json!([]),
            Value::Object(content) if content.contains_key("fields") => content["fields"].clone(),
            Value::Object(content) if content.contains_key("enum") => json!([["0", content["enum"]]]),
            Value::Array(items) => items.iter().enumerate().map(|(at, item)| json!([at.to_string(), item])).collect(),
            other => json!([["0", other]]),
        };
        found.push(json!({ "index": index, "name": name, "fields": fields }));
        index += 1;
    }
}

/// The fields of a struct: `[[name, shape]]`.
pub(crate) fn fields<T: for<'de> Deserialize<'de>>() -> Value {
    let mut shape = Value::Null;
    T::deserialize(Asked { shape: &mut shape, variant: 0 }).expect("it has a shape");
    shape["fields"].clone()
}

/// Why a shape could not be found.
#[derive(Debug)]
struct NoShape(String);

impl fmt::Display for NoShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoShape {}

impl de::Error for NoShape {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self(why.to_string())
    }
}

/// Answers whatever is asked for with the least value, and notes what it was. Of the outermost enum it is this variant,
/// of others the first.
struct Asked<'a> {
    shape: &'a mut Value,
    variant: u32,
}

macro_rules! plain {
    ($($method:ident $visit:ident $name:literal $value:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoShape> {
            *self.shape = json!($name);
            visitor.$visit($value)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Asked<'_> {
    type Error = NoShape;

    plain! {
        deserialize_bool visit_bool "bool" false;
        deserialize_u8 visit_u8 "u8" 0;
        deserialize_u16 visit_u16 "u16" 0;
        deserialize_u32 visit_u32 "u32" 0;
        deserialize_u64 visit_u64 "u64" 0;
        deserialize_i8 visit_i8 "i8" 0;
        deserialize_i16 visit_i16 "i16" 0;
        deserialize_i32 visit_i32 "i32" 0;
        deserialize_i64 visit_i64 "i64" 0;
        deserialize_str visit_str "text" "";
        deserialize_string visit_str "text" "";
        deserialize_bytes visit_bytes "uuid" &[0; 16];
        deserialize_byte_buf visit_bytes "uuid" &[0; 16];
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoShape> {
        let mut inner = Value::Null;
        let value = visitor.visit_some(Asked { shape: &mut inner, variant: 0 })?;
        *self.shape = json!({ "option": bytes_or(inner) });
        Ok(value)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoShape> {
        let mut items = Vec::new();
        let value = visitor.visit_seq(Items { shapes: &mut items, left: 1 })?;
        let item = items.pop().ok_or_else(|| NoShape::custom("a list of nothing"))?;
        *self.shape = json!({ "list": item });
        *self.shape = bytes_or(self.shape.take());
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, NoShape> {
        let mut items = Vec::new();
        let value = visitor.visit_seq(Items { shapes: &mut items, left: len })?;
        *self.shape = json!({ "array": items.first(), "len": len });
        Ok(value)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, NoShape> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NoShape> {
        let mut shapes = Vec::new();
        let value = visitor.visit_seq(Items { shapes: &mut shapes, left: fields.len() })?;
        *self.shape = json!({ "struct": name, "fields": named(fields, shapes) });
        Ok(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NoShape> {
        let variant = variants.get(self.variant as usize).ok_or_else(|| NoShape::custom("no such variant"))?;
        let mut content = Value::Null;
        let value = visitor.visit_enum(Chosen { index: self.variant, content: &mut content })?;
        *self.shape = json!({ "enum": name, "variant": variant, "content": content });
        Ok(value)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoShape> {
        Err(NoShape::custom("bincode does not say what it holds"))
    }

    serde::forward_to_deserialize_any! { i128 u128 f32 f64 char unit unit_struct tuple_struct map identifier ignored_any }
}

/// A list of bytes is called so.
fn bytes_or(shape: Value) -> Value {
    if shape == json!({ "list": "u8" }) { json!("bytes") } else { shape }
}

/// Fields as `[name, shape]`. A number that is called a code is one; a nested enum goes by its name.
fn named(fields: &[&str], shapes: Vec<Value>) -> Value {
    let field = |(name, shape): (&&str, Value)| match (*name, shape) {
        ("code", shape) if shape == json!("u32") => json!([name, "Code"]),
        (_, Value::Object(shape)) if shape.contains_key("enum") => json!([name, shape["enum"]]),
        (_, shape) => json!([name, shape]),
    };
    fields.iter().zip(shapes).map(field).collect()
}

struct Items<'a> {
    shapes: &'a mut Vec<Value>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = NoShape;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, NoShape> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut shape = Value::Null;
        let value = seed.deserialize(Asked { shape: &mut shape, variant: 0 })?;
        self.shapes.push(shape);
        Ok(Some(value))
    }
}

struct Chosen<'a> {
    index: u32,
    content: &'a mut Value,
}

impl<'de> EnumAccess<'de> for Chosen<'_> {
    type Error = NoShape;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), NoShape> {
        let index: U32Deserializer<NoShape> = de::IntoDeserializer::into_deserializer(self.index);
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for Chosen<'_> {
    type Error = NoShape;

    fn unit_variant(self) -> Result<(), NoShape> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, NoShape> {
        seed.deserialize(Asked { shape: self.content, variant: 0 })
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, NoShape> {
        let mut shapes = Vec::new();
        let value = visitor.visit_seq(Items { shapes: &mut shapes, left: len })?;
        *self.content = json!(shapes);
        Ok(value)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, NoShape> {
        let mut shapes = Vec::new();
        let value = visitor.visit_seq(Items { shapes: &mut shapes, left: fields.len() })?;
        *self.content = json!({ "fields": named(fields, shapes) });
        Ok(value)
    }
}
