//! A naive quantizer: it walks an entity's serde form by field name, in `f64`. The fast code of the derive macro and
//! commit must equal it.

use serde_json::Value;

use crate::replicate::{EntitySchema, KindSchema, Quantizer, Replicate};

/// An entity as a client sees it: its kind, the codes of its lanes, its blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naive {
    /// The kind's number.
    pub kind: u8,
    /// One code a lane.
    pub lanes: Vec<u32>,
    /// The bytes of each blob.
    pub blobs: Vec<Vec<u8>>,
}

/// Quantizes an entity by its serde form. `schema` is [`Replicate::schema`] of its type.
///
/// # Errors
///
/// In words: a field that is neither in the schema nor marked `skip`, or a schema entry that has no field.
pub fn naive_quantize<E: Replicate>(schema: &EntitySchema, entity: &E) -> Result<Naive, String> {
    quantize(schema, &form(entity)?)
}

pub(super) fn form<E: Replicate>(entity: &E) -> Result<Value, String> {
    serde_json::to_value(entity).map_err(|error| format!("the entity has no serde form: {error}"))
}

pub(super) fn quantize(schema: &EntitySchema, form: &Value) -> Result<Naive, String> {
    let (number, fields) = variant(&schema.kinds, form)?;
    let kind = &schema.kinds[number];
    for field in fields.as_object().into_iter().flat_map(|fields| fields.keys()) {
        let listed =
            kind.lanes.iter().map(|lane| lane.name.as_str()).chain(kind.blobs.iter().map(|blob| blob.name.as_str()));
        let mut known =
            listed.map(|name| name.split('.').next().unwrap_or(name)).chain(kind.skipped.iter().map(String::as_str));
        if !known.any(|name| name == field) {
            return Err(format!("field {field} of {} is neither in the schema nor marked skip", kind.name));
        }
    }
    let lanes =
        kind.lanes.iter().map(|lane| code(&lane.quantizer, lookup(fields, &lane.name)?)).collect::<Result<_, _>>()?;
    let blobs = kind
        .blobs
        .iter()
        .map(|blob| bytes(lookup(fields, &blob.name)?, blob.max_len as usize))
        .collect::<Result<_, _>>()?;
    Ok(Naive { kind: number as u8, lanes, blobs })
}

/// The kind of a serde form, and its fields. A struct is its own kind; enums are externally tagged.
pub(super) fn variant<'a>(kinds: &[KindSchema], form: &'a Value) -> Result<(usize, &'a Value), String> {
    let by_name = |name: &str| kinds.iter().position(|kind| kind.name == name);
    match form {
        Value::String(name) => Ok((by_name(name).ok_or_else(|| format!("no kind {name}"))?, form)),
        Value::Object(fields) if fields.len() == 1 => {
            let (name, inner) = fields.iter().next().expect("there is one");
            Ok(by_name(name).filter(|_| inner.is_object()).map_or((0, form), |kind| (kind, inner)))
        }
        _ => Ok((0, form)),
    }
}

pub(super) fn lookup<'a>(fields: &'a Value, name: &str) -> Result<&'a Value, String> {
    name.split('.')
        .try_fold(fields, |value, part| match part.parse::<usize>() {
            Ok(index) if value.is_array() => value.get(index),
            _ => value.get(part),
        })
        .ok_or_else(|| format!("the schema names {name}, which the entity does not have"))
}

fn code(quantizer: &Quantizer, value: &Value) -> Result<u32, String> {
    // serde_json has no NaN or infinity: both are null. So infinities cannot be told apart, and tests leave them out.
    let number = || value.as_f64().unwrap_or(0.0);
    Ok(match quantizer {
        Quantizer::Fixed { min, step, max } => {
            let clamped = number().clamp(*min, min + f64::from(*max) * step);
            ((clamped - min) / step).round() as u32
        }
        Quantizer::Angle { bits } => {
            let turns = number() / std::f64::consts::TAU;
            let steps = f64::from(1u32 << bits);
            ((turns * steps).round() as i64).rem_euclid(1i64 << bits) as u32
        }
        Quantizer::Int { min, max } => {
            let value = value.as_i64().ok_or("an integer lane holds no integer")?;
            (value.clamp(*min, min + i64::from(*max)) - min) as u32
        }
        Quantizer::Bool => u32::from(value.as_bool().ok_or("a bool lane holds no bool")?),
        Quantizer::Choice { names } => {
            let name = value.as_str().ok_or("a choice lane holds no name")?;
            names.iter().position(|other| other == name).ok_or("a choice lane holds an unknown name")? as u32
        }
        Quantizer::Entity if value.is_null() => u32::MAX,
        Quantizer::Entity => {
            let part = |name: &str| value.get(name).and_then(Value::as_u64).ok_or("an entity lane holds no id");
            ((part("generation")? & 0xFFFF) << 16 | part("slot")? & 0xFFFF) as u32
        }
    })
}

fn bytes(value: &Value, max_len: usize) -> Result<Vec<u8>, String> {
    match value {
        Value::String(text) => {
            let end = (0..=max_len.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            Ok(text.as_bytes()[..end].to_vec())
        }
        Value::Array(items) => Ok(items.iter().take(max_len).map(|item| item.as_u64().unwrap_or(0) as u8).collect()),
        _ => Err("a blob holds neither text nor bytes".to_owned()),
    }
}
