//! `#[derive(Replicate)]`: a struct is one kind, an enum one kind a variant, an enum without any fields a lane.
//!
//! [`field`] handles a single field.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Data, DataEnum, DeriveInput, Error, Fields, LitStr, Result, Type, Variant, spanned::Spanned as _};

use crate::input;

mod attributes;
mod codings;
mod field;

use field::Field;

/// A variant's index is one byte.
const MAX_VARIANTS: usize = 256;

pub(crate) fn expand(item: &DeriveInput) -> Result<TokenStream> {
    input::refuse_generics(item)?;
    let ident = &item.ident;
    match &item.data {
        Data::Struct(data) => {
            let mut constants = Vec::new();
            let kind = Kind::of_fields(ident, quote!(Self), &data.fields, &mut constants)?;
            let fields = kind.fields();
            let marker = quote! {
                impl ::tiltyard_shared::replicate::Kind for #ident {
                    const FIELDS: &'static [::tiltyard_shared::replicate::FieldMark] = #fields;
                }
            };
            let kinds = [kind];
            let learned = codings::read(item, &kinds, &mut constants)?;
            Ok(block(&constants, &[entity(ident, &kinds, learned.as_ref()), marker]))
        }
        Data::Enum(data) => expand_enum(item, data),
        Data::Union(_) => Err(Error::new_spanned(ident, "a union cannot be replicated")),
    }
}

fn expand_enum(item: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let ident = &item.ident;
    if !(1..=MAX_VARIANTS).contains(&data.variants.len()) {
        return Err(Error::new_spanned(ident, "an enum that is replicated has 1 to 256 variants"));
    }
    for variant in &data.variants {
        input::refuse_attributes(&variant.attrs, "replicate")?;
    }
    if data.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit)) {
        input::refuse_attributes(&item.attrs, "replicate")?;
        return Ok(block(&[], &[choice(ident, data)]));
    }
    let mut constants = Vec::new();
    let kinds = data.variants.iter().map(|variant| Kind::of_variant(variant, &mut constants));
    let kinds = kinds.collect::<Result<Vec<_>>>()?;
    let learned = codings::read(item, &kinds, &mut constants)?;
    Ok(block(&constants, &[entity(ident, &kinds, learned.as_ref())]))
}

/// Constants and impls, hidden from the author's namespace.
fn block(constants: &[TokenStream], impls: &[TokenStream]) -> TokenStream {
    quote! {
        const _: () = {
            #(#constants)*
            #(#[automatically_derived] #impls)*
        };
    }
}

/// A struct, or a variant of an enum.
struct Kind {
    name: String,
    path: TokenStream,
    body: Body,
}

/// The content of a kind.
enum Body {
    Fields(Vec<Field>),
    /// The struct that a newtype variant holds.
    Inner(Box<Type>),
}

impl Kind {
    fn of_variant(variant: &Variant, constants: &mut Vec<TokenStream>) -> Result<Self> {
        let ident = &variant.ident;
        let path = quote!(Self::#ident);
        let Fields::Unnamed(fields) = &variant.fields else {
            return Self::of_fields(ident, path, &variant.fields, constants);
        };
        if fields.unnamed.len() != 1 {
            return Err(Error::new_spanned(fields, "name the fields, or hold one struct that derives `Replicate`"));
        }
        let inner = &fields.unnamed[0];
        input::refuse_attributes(&inner.attrs, "replicate")?;
        Ok(Self { name: input::plain(ident), path, body: Body::Inner(Box::new(inner.ty.clone())) })
    }

    fn of_fields(ident: &Ident, path: TokenStream, fields: &Fields, constants: &mut Vec<TokenStream>) -> Result<Self> {
        let mut parsed = Vec::new();
        for (index, (member, field)) in fields.members().zip(fields).enumerate() {
            parsed.push(Field::parse(member, field, index, constants)?);
        }
        constants.push(field::limit(ident, &parsed));
        Ok(Self { name: input::plain(ident), path, body: Body::Fields(parsed) })
    }

    fn schema(&self) -> TokenStream {
        let name = &self.name;
        match &self.body {
            Body::Fields(fields) => {
                let describe = fields.iter().map(Field::describe);
                let skipped = fields.iter().filter_map(Field::skipped);
                quote! {{
                    let mut lanes = ::std::vec::Vec::new();
                    let mut blobs = ::std::vec::Vec::new();
                    #(#describe)*
                    ::tiltyard_shared::replicate::KindSchema {
                        name: ::std::string::String::from(#name),
                        lanes,
                        blobs,
                        mask: ::std::option::Option::None,
                        skipped: ::std::vec![#(::std::string::String::from(#skipped)),*],
                    }
                }}
            }
            Body::Inner(ty) => quote_spanned! {ty.span()=>
                ::tiltyard_shared::replicate::KindSchema::of::<#ty>(#name)
            },
        }
    }

    /// The properties of its fields on which codings depend, as a constant slice.
    fn fields(&self) -> TokenStream {
        match &self.body {
            Body::Fields(fields) => {
                let marks = fields.iter().filter_map(Field::mark);
                quote!(&[#(#marks),*])
            }
            Body::Inner(ty) => quote_spanned!(ty.span()=> <#ty as ::tiltyard_shared::replicate::Kind>::FIELDS),
        }
    }

    /// A pattern that fits this kind and binds nothing.
    fn any(&self) -> TokenStream {
        let path = &self.path;
        quote!(#path { .. })
    }

    /// A match arm.
    fn quantize(&self) -> TokenStream {
        let path = &self.path;
        match &self.body {
            Body::Fields(fields) => {
                let bound = fields.iter().filter_map(Field::bound);
                let (pattern, quantize) = (input::pattern(path, bound), fields.iter().map(Field::quantize));
                quote!(#pattern => { #(#quantize)* })
            }
            Body::Inner(ty) => {
                let quantize = quote_spanned!(ty.span()=> <#ty as ::tiltyard_shared::replicate::Replicate>::quantize);
                quote!(#path(inner) => #quantize(inner, out),)
            }
        }
    }

    fn restore(&self) -> TokenStream {
        let path = &self.path;
        match &self.body {
            Body::Fields(fields) => {
                let restore = fields.iter().map(Field::restore);
                quote!(::std::option::Option::Some(#path { #(#restore,)* }))
            }
            Body::Inner(ty) => {
                let restore = quote_spanned!(ty.span()=> <#ty as ::tiltyard_shared::replicate::Replicate>::restore);
                quote!(#restore(0, fields).map(#path))
            }
        }
    }
}

fn entity(ident: &Ident, kinds: &[Kind], codings: Option<&LitStr>) -> TokenStream {
    let numbers: Vec<u8> = (0..=u8::MAX).take(kinds.len()).collect();
    let schemas = kinds.iter().map(Kind::schema);
    let schema = quote!(::tiltyard_shared::replicate::EntitySchema { kinds: ::std::vec![#(#schemas),*] });
    let schema = codings.map_or_else(|| schema.clone(), |file| codings::learned(&schema, file));
    let any = kinds.iter().map(Kind::any);
    let quantize = kinds.iter().map(Kind::quantize);
    let restore = kinds.iter().map(Kind::restore);
    quote! {
        impl ::tiltyard_shared::replicate::Replicate for #ident {
            fn schema() -> ::tiltyard_shared::replicate::EntitySchema {
                #schema
            }

            fn kind(&self) -> u8 {
                match self { #(#any => #numbers,)* }
            }

            fn quantize(&self, out: &mut ::tiltyard_shared::replicate::Quantized) {
                match self { #(#quantize)* }
            }

            fn restore(
                kind: u8,
                fields: &mut ::tiltyard_shared::replicate::Fields<'_>,
            ) -> ::std::option::Option<Self> {
                match kind {
                    #(#numbers => #restore,)*
                    _ => ::std::option::Option::None,
                }
            }
        }
    }
}

fn choice(ident: &Ident, data: &DataEnum) -> TokenStream {
    let variants: Vec<&Ident> = data.variants.iter().map(|variant| &variant.ident).collect();
    let names: Vec<String> = variants.iter().map(|variant| input::plain(variant)).collect();
    let codes: Vec<u32> = (0..).take(variants.len()).collect();
    quote! {
        impl ::tiltyard_shared::replicate::Lane for #ident {
            const MARK: ::tiltyard_shared::replicate::Mark =
                ::tiltyard_shared::replicate::Mark::of_choice(&[#(#names),*]);

            fn describe(name: &str, out: &mut ::std::vec::Vec<::tiltyard_shared::replicate::LaneSchema>) {
                let names = ::std::vec![#(::std::string::String::from(#names)),*];
                let quantizer = ::tiltyard_shared::replicate::Quantizer::Choice { names };
                out.push(::tiltyard_shared::replicate::LaneSchema::new(name, quantizer));
            }

            fn quantize(&self, out: &mut ::tiltyard_shared::replicate::Quantized) {
                out.lane(match self { #(Self::#variants => #codes,)* });
            }

            fn restore(fields: &mut ::tiltyard_shared::replicate::Fields<'_>) -> ::std::option::Option<Self> {
                match fields.lane()? {
                    #(#codes => ::std::option::Option::Some(Self::#variants),)*
                    _ => ::std::option::Option::None,
                }
            }
        }
    }
}
