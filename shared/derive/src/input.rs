//! Helpers of both macros: they refuse items for which no trait can be derived, and take fields apart.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, DeriveInput, Error, Member, Result, ext::IdentExt as _, spanned::Spanned as _};

/// Refuses generic types.
pub(crate) fn refuse_generics(item: &DeriveInput) -> Result<()> {
    if item.generics.params.is_empty() {
        return Ok(());
    }
    Err(Error::new_spanned(&item.generics.params, "a type that both ends know by name cannot be generic"))
}

/// Refuses attributes of this name.
pub(crate) fn refuse_attributes(attrs: &[Attribute], name: &str) -> Result<()> {
    match attrs.iter().find(|attr| attr.path().is_ident(name)) {
        Some(attr) => Err(Error::new(attr.span(), format!("`#[{name}(…)]` belongs on a field"))),
        None => Ok(()),
    }
}

/// The name of an item in the schema: without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// The name of a field in the schema: `0`, `1`, … in a tuple.
pub(crate) fn member_name(member: &Member) -> String {
    match member {
        Member::Named(ident) => plain(ident),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

/// The span of these tokens, for generated ones: the compiler points there when generated code does not hold.
pub(crate) fn at(tokens: &impl ToTokens) -> Span {
    Span::mixed_site().located_at(tokens.span())
}

/// The variable to which a pattern binds the field of this index.
pub(crate) fn binding(index: usize) -> Ident {
    format_ident!("field_{index}", span = Span::mixed_site())
}

/// The pattern `path { member: binding, … }`, which fits named, tuple and unit shapes alike.
pub(crate) fn pattern<'a>(path: &TokenStream, fields: impl Iterator<Item = (&'a Member, &'a Ident)>) -> TokenStream {
    let fields = fields.map(|(member, binding)| quote!(#member: #binding));
    quote!(#path { #(#fields,)* .. })
}
