//! One field of a kind, and the code that describes, quantizes and restores it.
//!
//! The macro does not check which types a form fits. The traits `Lane`, `LaneBy` and `Blob` do, so aliases and
//! constants work and the compiler names the field whose type does not fit.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Member, Result, Type, spanned::Spanned as _};

use super::attributes::{Attributes, Ends, Extra, Form};
use crate::input;

/// A field, as generated code refers to it.
pub(super) struct Field {
    member: Member,
    binding: Ident,
    ty: Type,
    replicated: Option<Replicated>,
    extra: Extra,
}

/// A field that clients see.
struct Replicated {
    /// `<Type as Trait>`.
    subject: TokenStream,
    /// The quantizer or limit, with a comma; empty for a type that is a lane by itself.
    by: TokenStream,
    /// The properties on which its codings depend, an `Option`.
    mark: TokenStream,
    blob: bool,
}

impl Field {
    /// Reads a field. Constants that it needs go to `constants`.
    pub(super) fn parse(
        member: Member,
        field: &syn::Field,
        index: usize,
        constants: &mut Vec<TokenStream>,
    ) -> Result<Self> {
        let (form, extra) = Attributes::parse(field)?;
        let replicated = Replicated::of(form, &field.ty, constants);
        Ok(Self { member, binding: input::binding(index), ty: field.ty.clone(), replicated, extra })
    }

    /// The field and its variable, if generated code uses it.
    pub(super) fn bound(&self) -> Option<(&Member, &Ident)> {
        self.replicated.as_ref().map(|_| (&self.member, &self.binding))
    }

    /// The name, if the field stays on the server.
    pub(super) fn skipped(&self) -> Option<String> {
        self.replicated.is_none().then(|| input::member_name(&self.member))
    }

    /// The properties on which its codings depend, if clients see it.
    pub(super) fn mark(&self) -> Option<TokenStream> {
        let Replicated { subject, mark, blob, .. } = self.replicated.as_ref()?;
        let name = input::member_name(&self.member);
        let lanes = if *blob { quote!(0) } else { quote!(#subject::LANES) };
        Some(quote!(::tiltyard_shared::replicate::FieldMark { name: #name, lanes: #lanes, mark: #mark }))
    }

    /// Statements that append to `lanes` or `blobs`.
    pub(super) fn describe(&self) -> Option<TokenStream> {
        let Replicated { subject, by, blob, .. } = self.replicated.as_ref()?;
        let name = input::member_name(&self.member);
        if *blob {
            return Some(quote!(#subject::describe(#name, #by &mut blobs);));
        }
        let teleport = self.extra.teleport.then(|| quote!(lane.teleport = true;));
        let golomb = self.extra.golomb;
        let golomb = golomb.map(|k| quote!(lane.coding = ::tiltyard_shared::replicate::Coding::Golomb { k: #k };));
        let describe = quote!(#subject::describe(#name, #by &mut lanes););
        if teleport.is_none() && golomb.is_none() {
            return Some(describe);
        }
        Some(quote! {
            let first = lanes.len();
            #describe
            for lane in &mut lanes[first..] { #teleport #golomb }
        })
    }

    /// A statement that appends to `out`.
    pub(super) fn quantize(&self) -> Option<TokenStream> {
        let (binding, Replicated { subject, by, .. }) = (&self.binding, self.replicated.as_ref()?);
        Some(quote!(#subject::quantize(#binding, #by out);))
    }

    /// `member: value`, read from `fields`.
    pub(super) fn restore(&self) -> TokenStream {
        let (member, ty) = (&self.member, &self.ty);
        match &self.replicated {
            Some(Replicated { subject, by, .. }) => quote!(#member: #subject::restore(#by fields)?),
            None => {
                let default = quote_spanned!(ty.span()=> <#ty as ::std::default::Default>::default());
                quote!(#member: #default)
            }
        }
    }
}

impl Replicated {
    fn of(form: Form, ty: &Type, constants: &mut Vec<TokenStream>) -> Option<Self> {
        let name = format_ident!("BY_{}", constants.len());
        let (at, quantizer, call) = match form {
            Form::Skip => return None,
            Form::Plain => {
                let mark = quote_spanned!(ty.span()=> <#ty as ::tiltyard_shared::replicate::Lane>::MARK);
                return Some(Self::new(ty, &quote!(Lane), TokenStream::new(), &mark));
            }
            Form::Blob(max_len) => {
                constants.push(quote!(const #name: u32 = #max_len;));
                let mark = quote!(::std::option::Option::None);
                return Some(Self { blob: true, mark, ..Self::new(ty, &quote!(Blob), quote!(#name,), &quote!()) });
            }
            Form::Fixed(ends, step) => (ends.at(), quote!(Fixed), ends.call(&quote!(f64), &quote!(, (#step) as f64))),
            Form::Linear(ends, step) => {
                let (at, fixed) = (ends.at(), ends.call(&quote!(f64), &quote!(, (#step) as f64)));
                let by = quote_spanned!(at=> ::tiltyard_shared::replicate::Fixed::#fixed);
                (at, quote!(Linear), quote_spanned!(at=> new(#by)))
            }
            Form::Int(ends) => (ends.at(), quote!(Int), ends.call(&quote!(i64), &TokenStream::new())),
            Form::Angle(bits) => (input::at(&bits), quote!(Angle), quote_spanned!(input::at(&bits)=> new(#bits))),
        };
        let quantizer = quote_spanned!(at=> ::tiltyard_shared::replicate::#quantizer);
        constants.push(quote_spanned!(at=> const #name: #quantizer = #quantizer::#call;));
        Some(Self::new(ty, &quote!(LaneBy<#quantizer>), quote!(&#name,), &quote!(#name.mark())))
    }

    fn new(ty: &Type, role: &TokenStream, by: TokenStream, mark: &TokenStream) -> Self {
        // With the span of the type, where the compiler then points when the type does not fit.
        let subject = quote_spanned!(ty.span()=> <#ty as ::tiltyard_shared::replicate::#role>);
        Self { subject, by, mark: quote!(::std::option::Option::Some(#mark)), blob: false }
    }

    /// The number of fields in a change mask that it takes.
    fn count(&self) -> TokenStream {
        let subject = &self.subject;
        if self.blob { quote!(1) } else { quote!(#subject::LANES) }
    }
}

impl Ends {
    fn at(&self) -> Span {
        input::at(&self.start)
    }

    /// The call of a quantizer's constructor.
    fn call(&self, number: &TokenStream, step: &TokenStream) -> TokenStream {
        let (start, end) = (&self.start, &self.end);
        let new = format_ident!("{}", if self.inclusive { "inclusive" } else { "exclusive" });
        quote_spanned!(self.at()=> #new((#start) as #number, (#end) as #number #step))
    }
}

/// A compile-time check that the fields of a kind fit its change mask.
pub(super) fn limit(kind: &Ident, fields: &[Field]) -> TokenStream {
    let counts = fields.iter().filter_map(|field| field.replicated.as_ref()).map(Replicated::count);
    let message = format!("`{}` has more than 64 lanes and blobs", input::plain(kind));
    quote_spanned! {input::at(kind)=>
        const _: () = {
            let fields = 0 #(+ #counts)*;
            ::std::assert!(fields <= ::tiltyard_shared::replicate::MAX_FIELDS, #message);
        };
    }
}
