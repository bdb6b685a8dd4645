//! `#[replicate(…)]` on a field: the attributes that exist, and those that may be combined.

use proc_macro2::Span;
use syn::{
    Error, Expr, ExprRange, Field, Lit, LitInt, RangeLimits, Result, meta::ParseNestedMeta, spanned::Spanned as _,
};

/// All attributes of a field, each at most once.
#[derive(Default)]
pub(super) struct Attributes {
    range: Option<ExprRange>,
    step: Option<Expr>,
    angle: Option<Expr>,
    max_len: Option<Expr>,
    skip: Option<Span>,
    teleport: Option<Span>,
    linear: Option<Span>,
    golomb: Option<(Span, u8)>,
}

/// The form in which a field is replicated.
pub(super) enum Form {
    /// By its type alone.
    Plain,
    /// Fixed point.
    Fixed(Ends, Expr),
    /// Fixed point that moves at a rate of its own.
    Linear(Ends, Expr),
    /// Radians, with this many bits.
    Angle(Expr),
    /// An integer of a range.
    Int(Ends),
    /// Whole, with at most this many bytes.
    Blob(Expr),
    /// Not at all.
    Skip,
}

/// A range with both ends.
pub(super) struct Ends {
    pub(super) start: Expr,
    pub(super) end: Expr,
    pub(super) inclusive: bool,
}

/// The further attributes of a lane.
#[derive(Clone, Copy)]
pub(super) struct Extra {
    pub(super) teleport: bool,
    pub(super) golomb: Option<u8>,
}

impl Attributes {
    pub(super) fn parse(field: &Field) -> Result<(Form, Extra)> {
        let mut said = Self::default();
        for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("replicate")) {
            attr.parse_nested_meta(|meta| said.add(&meta))?;
        }
        let extra = Extra { teleport: said.teleport.is_some(), golomb: said.golomb.map(|(_, k)| k) };
        let for_lanes = said.teleport.or(said.golomb.map(|(span, _)| span));
        let form = said.form()?;
        match (&form, for_lanes) {
            (Form::Skip | Form::Blob(_), Some(span)) => Err(Error::new(span, "this is for lanes")),
            _ => Ok((form, extra)),
        }
    }

    fn add(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let span = meta.path.span();
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "range" => once(&mut self.range, span, range(meta.value()?.parse()?)?),
            "step" => once(&mut self.step, span, meta.value()?.parse()?),
            "angle" => once(&mut self.angle, span, meta.value()?.parse()?),
            "max_len" => once(&mut self.max_len, span, meta.value()?.parse()?),
            "golomb" => once(&mut self.golomb, span, (span, order(&meta.value()?.parse()?)?)),
            "skip" => once(&mut self.skip, span, span),
            "teleport" => once(&mut self.teleport, span, span),
            "linear" => once(&mut self.linear, span, span),
            _ => {
                Err(meta
                    .error("not one of `range`, `step`, `angle`, `max_len`, `skip`, `teleport`, `linear`, `golomb`"))
            }
        }
    }

    fn form(self) -> Result<Form> {
        let alone = "`range`, `angle`, `max_len` and `skip` exclude each other";
        if let Some(linear) = self.linear {
            return match (self.range, self.step) {
                (Some(range), Some(step)) if self.angle.is_none() && self.max_len.is_none() && self.skip.is_none() => {
                    Ok(Form::Linear(Ends::of(&range)?, step))
                }
                _ => Err(Error::new(linear, "`linear` goes with a `range` and a `step`")),
            };
        }
        match (self.range, self.step, self.angle, self.max_len, self.skip) {
            (None, None, None, None, None) => Ok(Form::Plain),
            (Some(range), Some(step), None, None, None) => Ok(Form::Fixed(Ends::of(&range)?, step)),
            (Some(range), None, None, None, None) => Ends::of(&range)?.whole().map(Form::Int),
            (None, None, Some(bits), None, None) => Ok(Form::Angle(bits)),
            (None, None, None, Some(max_len), None) => Ok(Form::Blob(max_len)),
            (None, None, None, None, Some(_)) => Ok(Form::Skip),
            (None, Some(step), ..) => Err(Error::new_spanned(step, "a `step` goes with a `range`")),
            (.., Some(skip)) => Err(Error::new(skip, alone)),
            (.., Some(max_len), _) => Err(Error::new_spanned(max_len, alone)),
            (_, _, angle, ..) => Err(Error::new_spanned(angle, alone)),
        }
    }
}

impl Ends {
    fn of(range: &ExprRange) -> Result<Self> {
        let inclusive = matches!(range.limits, RangeLimits::Closed(_));
        let (Some(start), Some(end)) = (&range.start, &range.end) else {
            return Err(Error::new_spanned(range, "a range has both ends, as in `0..=100`"));
        };
        Ok(Self { start: Expr::clone(start), end: Expr::clone(end), inclusive })
    }

    /// Refuses ends that are plainly floats, because they lack a `step`.
    fn whole(self) -> Result<Self> {
        let float = [&self.start, &self.end].into_iter().find(|end| is_float(end));
        match float {
            Some(end) => Err(Error::new_spanned(end, "a range of floats needs a `step`, as in `step = 0.25`")),
            None => Ok(self),
        }
    }
}

fn once<T>(place: &mut Option<T>, span: Span, value: T) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(span, "said twice")),
    }
}

fn range(expr: Expr) -> Result<ExprRange> {
    match expr {
        Expr::Range(range) => Ok(range),
        other => Err(Error::new_spanned(other, "not a range such as `0..=100` or `-1.0..1.0`")),
    }
}

fn order(k: &LitInt) -> Result<u8> {
    k.base10_parse().ok().filter(|k| *k < 32).ok_or_else(|| Error::new_spanned(k, "an order is 0 to 31"))
}

fn is_float(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(lit) => matches!(lit.lit, Lit::Float(_)),
        Expr::Unary(unary) => is_float(&unary.expr),
        Expr::Paren(paren) => is_float(&paren.expr),
        _ => false,
    }
}
