//! `#[replicate(codings = "file")]` on an entity: the codings learned for it, and a warning for each line that no
//! longer fits what it was learned from.

use std::{fs, path::Path};

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Error, LitStr, Result};

use super::Kind;

/// Reads the file, if there is one. Checks of its lines go to `constants`.
pub(super) fn read(item: &DeriveInput, kinds: &[Kind], constants: &mut Vec<TokenStream>) -> Result<Option<LitStr>> {
    let Some(name) = attribute(item)? else { return Ok(None) };
    let source = name.span().unwrap().local_file();
    let path = source.as_deref().and_then(Path::parent).unwrap_or(Path::new("")).join(name.value());
    let text = fs::read_to_string(&path)
        .map_err(|error| Error::new(name.span(), format!("cannot read {}: {error}", path.display())))?;
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let wrong =
            || Error::new(name.span(), format!("{}: line {} is none of a codings file", name.value(), index + 1));
        constants.push(check(line, kinds, &name).ok_or_else(wrong)?);
    }
    Ok(Some(name))
}

/// A schema with the codings of a file, which is read once.
pub(super) fn learned(schema: &TokenStream, file: &LitStr) -> TokenStream {
    // Included, so that the compiler knows of the dependency on the file.
    quote! {
        static LEARNED: ::std::sync::OnceLock<::tiltyard_shared::replicate::EntitySchema> = ::std::sync::OnceLock::new();
        let learn = || #schema.with_codings(::std::include_str!(#file));
        ::std::clone::Clone::clone(LEARNED.get_or_init(learn))
    }
}

fn attribute(item: &DeriveInput) -> Result<Option<LitStr>> {
    let mut file = None;
    for attr in item.attrs.iter().filter(|attr| attr.path().is_ident("replicate")) {
        attr.parse_nested_meta(|meta| match file {
            _ if !meta.path.is_ident("codings") => Err(meta.error("`codings` belongs here, all else on a field")),
            Some(_) => Err(meta.error("said twice")),
            None => {
                file = Some(meta.value()?.parse()?);
                Ok(())
            }
        })?;
    }
    Ok(file)
}

/// A constant that warns if a line does not fit; `None` if the line is malformed.
fn check(line: &str, kinds: &[Kind], file: &LitStr) -> Option<TokenStream> {
    let mut words = line.split_whitespace();
    let (kind, lane, mark) = (words.next()?, words.next()?, u64::from_str_radix(words.next()?, 16).ok()?);
    let codes =
        words.map(|word| word.split_once('=').filter(|(of, _)| ["mask", "change", "error", "whole"].contains(of)));
    let codes: Vec<&str> = codes.map(|word| word.map(|(_, code)| code)).collect::<Option<_>>()?;
    let fields = kinds.iter().find(|known| known.name == kind).map_or_else(|| quote!(&[]), Kind::fields);
    let what = if lane == "*" { "masks".to_owned() } else { format!("`{lane}`") };
    let note = format!(
        "{} was learned for another type or quantizer of {what} in `{kind}`, which is coded by default until \
         codings are learned again (see `tiltyard_shared::learn`)",
        file.value()
    );
    // With the span of the author's attribute: rustc does not warn of deprecated items inside the code of a derive.
    Some(quote_spanned! {file.span()=>
        #[allow(dead_code)]
        const _: () = {
            struct Learned<const FITS: bool>;
            impl Learned<true> {
                const fn check() {}
            }
            impl Learned<false> {
                #[deprecated(note = #note)]
                const fn check() {}
            }
            const ENTRY: ::tiltyard_shared::replicate::Entry<'static> =
                ::tiltyard_shared::replicate::Entry { lane: #lane, mark: #mark, codes: &[#(#codes),*] };
            Learned::<{ ENTRY.fits(#fields) }>::check()
        };
    })
}
