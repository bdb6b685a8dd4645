//! `#[derive(Wire)]`: schema, random values and bounds of a struct or enum, field by field.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Fields, Member, Meta, Result, Token, Type, punctuated::Punctuated,
    spanned::Spanned as _,
};

use crate::input;

/// The serde attributes that do not change bincode's bytes.
const HARMLESS: [&str; 9] = [
    "alias",
    "bound",
    "crate",
    "default",
    "deny_unknown_fields",
    "expecting",
    "rename",
    "rename_all",
    "rename_all_fields",
];

pub(crate) fn expand(item: &DeriveInput) -> Result<TokenStream> {
    input::refuse_generics(item)?;
    input::refuse_attributes(&item.attrs, "wire")?;
    refuse_serde(&item.attrs)?;
    let ident = &item.ident;
    let (shape, methods) = match &item.data {
        Data::Struct(data) => {
            let shape = Shape::parse(ident, quote!(Self), &data.fields)?;
            let methods = of_struct(&shape);
            (vec![shape], methods)
        }
        Data::Enum(data) => {
            let mut shapes = Vec::new();
            for variant in &data.variants {
                input::refuse_attributes(&variant.attrs, "wire")?;
                refuse_serde(&variant.attrs)?;
                let name = &variant.ident;
                shapes.push(Shape::parse(name, quote!(Self::#name), &variant.fields)?);
            }
            if shapes.is_empty() {
                return Err(Error::new_spanned(ident, "an enum without variants has no values to send"));
            }
            let methods = of_enum(ident, &shapes);
            (shapes, methods)
        }
        Data::Union(_) => return Err(Error::new_spanned(ident, "a union cannot be sent")),
    };
    Ok(implementation(ident, &shape, &methods))
}

/// A struct, or a variant of an enum.
struct Shape {
    name: String,
    path: TokenStream,
    fields: Vec<Field>,
}

struct Field {
    member: Member,
    binding: Ident,
    ty: Type,
    max_len: Option<Expr>,
}

/// The bodies of `schema` and `arbitrary`.
struct Methods {
    schema: TokenStream,
    arbitrary: TokenStream,
}

impl Shape {
    fn parse(ident: &Ident, path: TokenStream, fields: &Fields) -> Result<Self> {
        let mut parsed = Vec::new();
        for (index, (member, field)) in fields.members().zip(fields).enumerate() {
            refuse_serde(&field.attrs)?;
            let (binding, max_len) = (input::binding(index), max_len(&field.attrs)?);
            parsed.push(Field { member, binding, ty: field.ty.clone(), max_len });
        }
        Ok(Self { name: input::plain(ident), path, fields: parsed })
    }

    /// A list of `WireField`.
    fn schema(&self) -> TokenStream {
        let names = self.fields.iter().map(|field| input::member_name(&field.member));
        let schemas = self.fields.iter().map(Field::schema);
        quote! {
            ::std::vec![#(::tiltyard_shared::wire::WireField {
                name: ::std::string::String::from(#names), schema: #schemas,
            }),*]
        }
    }

    fn arbitrary(&self) -> TokenStream {
        let (path, members) = (&self.path, self.fields.iter().map(|field| &field.member));
        let values = self.fields.iter().map(Field::arbitrary);
        quote!(#path { #(#members: #values,)* })
    }

    /// A match arm.
    fn is_bounded(&self) -> TokenStream {
        let bound = self.fields.iter().map(|field| (&field.member, &field.binding));
        let (pattern, checks) = (input::pattern(&self.path, bound), self.fields.iter().map(Field::is_bounded));
        quote!(#pattern => true #(&& #checks)*,)
    }
}

impl Field {
    /// `<Type as Trait>`, with the span of the type, where the compiler then points when the type does not fit.
    fn subject(&self) -> TokenStream {
        let (ty, role) = (&self.ty, if self.max_len.is_some() { quote!(Bounded) } else { quote!(Wire) });
        quote_spanned!(ty.span()=> <#ty as ::tiltyard_shared::wire::#role>)
    }

    fn schema(&self) -> TokenStream {
        let subject = self.subject();
        match &self.max_len {
            Some(max_len) => quote!(#subject::schema_within(#max_len)),
            None => quote!(#subject::schema()),
        }
    }

    fn arbitrary(&self) -> TokenStream {
        let subject = self.subject();
        match &self.max_len {
            Some(max_len) => quote!(#subject::arbitrary_within(rng, #max_len)),
            None => quote!(#subject::arbitrary(rng)),
        }
    }

    fn is_bounded(&self) -> TokenStream {
        let (subject, binding) = (self.subject(), &self.binding);
        match &self.max_len {
            Some(max_len) => quote!(#subject::is_within(#binding, #max_len)),
            None => quote!(#subject::is_bounded(#binding)),
        }
    }

    fn depth(&self) -> TokenStream {
        let ty = &self.ty;
        quote_spanned!(ty.span()=> <#ty as ::tiltyard_shared::wire::Wire>::DEPTH)
    }
}

fn of_struct(shape: &Shape) -> Methods {
    let (name, fields) = (&shape.name, shape.schema());
    let schema = quote! {
        ::tiltyard_shared::wire::WireSchema::Struct { name: ::std::string::String::from(#name), fields: #fields }
    };
    Methods { schema, arbitrary: shape.arbitrary() }
}

fn of_enum(ident: &Ident, shapes: &[Shape]) -> Methods {
    let (name, names) = (input::plain(ident), shapes.iter().map(|shape| &shape.name));
    let (fields, arbitrary) = (shapes.iter().map(Shape::schema), shapes.iter().map(Shape::arbitrary));
    let (count, indices) = (shapes.len() as u32, 0_u32..);
    let schema = quote! {
        ::tiltyard_shared::wire::WireSchema::Enum {
            name: ::std::string::String::from(#name),
            variants: ::std::vec![#(::tiltyard_shared::wire::WireVariant {
                name: ::std::string::String::from(#names), fields: #fields,
            }),*],
        }
    };
    let arbitrary = quote! {
        match rng.below(#count) {
            #(#indices => #arbitrary,)*
            _ => ::std::unreachable!("a number below the number of variants"),
        }
    };
    Methods { schema, arbitrary }
}

fn implementation(ident: &Ident, shapes: &[Shape], Methods { schema, arbitrary }: &Methods) -> TokenStream {
    let depths = shapes.iter().flat_map(|shape| &shape.fields).map(Field::depth);
    let depth = quote_spanned! {input::at(ident)=>
        const DEPTH: u32 = ::tiltyard_shared::wire::depth(&[#(#depths),*]);
    };
    let is_bounded = shapes.iter().map(Shape::is_bounded);
    quote! {
        #[automatically_derived]
        impl ::tiltyard_shared::wire::Wire for #ident {
            #depth

            fn schema() -> ::tiltyard_shared::wire::WireSchema {
                #schema
            }

            fn arbitrary(rng: &mut ::tiltyard_shared::game::Rng) -> Self {
                #arbitrary
            }

            fn is_bounded(&self) -> bool {
                match self { #(#is_bounded)* }
            }
        }
    }
}

/// The only attribute of fields, at most once.
fn max_len(attrs: &[Attribute]) -> Result<Option<Expr>> {
    let mut found = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("wire")) {
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("max_len") {
                return Err(meta.error("not `max_len`"));
            }
            match found.replace(meta.value()?.parse()?) {
                None => Ok(()),
                Some(_) => Err(meta.error("said twice")),
            }
        })?;
    }
    Ok(found)
}

/// Refuses attributes that would make serde's bytes differ from the schema.
fn refuse_serde(attrs: &[Attribute]) -> Result<()> {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        for meta in attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)? {
            if !HARMLESS.iter().any(|name| meta.path().is_ident(name)) {
                return Err(Error::new_spanned(meta, "this changes the bytes, and so what the schema says of them"));
            }
        }
    }
    Ok(())
}
