//! The order of modules, in this crate and the pure ones below it: where a file declares modules, one names none that is
//! declared after it, nor what is inside of those. So there is no circle, and the list in a `lib.rs` reads from the
//! ground up. A module may name the one that it is in, as children do. What only tests name does not count.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// A module's name from the root of its crate on; the root's is empty.
type Name = Vec<String>;

/// The modules of a crate.
#[derive(Default)]
struct Crate(BTreeMap<Name, Module>);

#[derive(Default)]
struct Module {
    /// The modules that it declares, in their order.
    children: Vec<String>,
    /// What it names, each from the root of the crate on.
    names: Vec<Name>,
}

impl Crate {
    fn read(folder: &Path) -> Self {
        let mut modules = Self::default();
        modules.read_module(&folder.join("lib.rs"), folder, Name::new());
        modules
    }

    /// Reads a file and those of the modules that it declares, which are in `folder`.
    fn read_module(&mut self, file: &Path, folder: &Path, name: Name) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut module = Module::default();
        module.read(text.parse().expect("Rust"), &name);
        for child in &module.children {
            let path = [name.as_slice(), std::slice::from_ref(child)].concat();
            self.read_module(&folder.join(format!("{child}.rs")), &folder.join(child), path);
        }
        self.0.insert(name, module);
    }

    /// Where a module names one that is declared after it.
    fn upwards(&self) -> Vec<String> {
        let each = self.0.iter().flat_map(|(name, module)| module.names.iter().map(move |other| (name, other)));
        each.filter_map(|(name, other)| {
            let common = name.iter().zip(other).take_while(|(one, two)| one == two).count();
            let siblings = &self.0.get(&name[..common])?.children;
            let place = |of: &Name| siblings.iter().position(|sibling| Some(sibling) == of.get(common));
            (place(name)? < place(other)?).then(|| format!("{} names {}", name.join("::"), other.join("::")))
        })
        .collect()
    }
}

impl Module {
    /// Collects from a piece of the module's text.
    fn read(&mut self, text: TokenStream, name: &Name) {
        let mut tokens = text.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) if is_test(&group.stream()) && group.delimiter() == Delimiter::Bracket => {
                    // The item that follows: up to its body or its end.
                    tokens.by_ref().find(|token| match token {
                        TokenTree::Group(body) => body.delimiter() == Delimiter::Brace,
                        token => is_punct(token, ';'),
                    });
                }
                TokenTree::Group(group) => self.read(group.stream(), name),
                TokenTree::Ident(word) if word == "mod" => {
                    let (child, end) = (tokens.next(), tokens.peek());
                    if let (Some(TokenTree::Ident(child)), Some(end)) = (child, end)
                        && is_punct(end, ';')
                    {
                        self.children.push(child.to_string());
                    }
                }
                TokenTree::Ident(word) => {
                    if let Some(start) = start(&word, name) {
                        self.follow(start, &mut tokens);
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// Follows a path, of which this is the beginning, to its ends.
    fn follow(&mut self, mut path: Name, tokens: &mut std::iter::Peekable<impl Iterator<Item = TokenTree>>) {
        while tokens.next_if(|token| is_punct(token, ':')).is_some() {
            tokens.next_if(|token| is_punct(token, ':'));
            match tokens.peek() {
                Some(TokenTree::Ident(word)) if word == "super" => drop(path.pop()),
                Some(TokenTree::Ident(word)) if word == "self" => {}
                Some(TokenTree::Ident(word)) => path.push(word.to_string()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.branch(&path, group.stream());
                    return drop(tokens.next());
                }
                _ => break,
            }
            tokens.next();
        }
        self.names.push(path);
    }

    /// The paths in the braces of a `use`.
    fn branch(&mut self, stem: &Name, branches: TokenStream) {
        let mut tokens = branches.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) if word == "as" => drop(tokens.next()),
                TokenTree::Ident(word) if word == "self" => self.names.push(stem.clone()),
                TokenTree::Ident(word) => {
                    self.follow([stem.as_slice(), &[word.to_string()]].concat(), &mut tokens);
                }
                _ => {}
            }
        }
    }
}

/// Where a path begins that begins with this word; `None` if that is not this crate.
fn start(word: &Ident, name: &Name) -> Option<Name> {
    match word.to_string().as_str() {
        "crate" => Some(Name::new()),
        "self" => Some(name.clone()),
        "super" => Some(name[..name.len().saturating_sub(1)].to_vec()),
        _ => None,
    }
}

/// Whether an attribute makes an item one of tests.
fn is_test(attribute: &TokenStream) -> bool {
    attribute.to_string().replace(' ', "") == "cfg(test)"
}

fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn source(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(of)
}

/// The order of a crate's modules as ARCHITECTURE.md prints it: groups in which nobody names another.
fn printed(name: &str) -> Vec<Vec<String>> {
    let page = fs::read_to_string(source("../ARCHITECTURE.md")).unwrap();
    let begin = page.find(&format!("\n{name} ")).unwrap() + 1 + name.len();
    let is_further = |line: &&str| line.starts_with(' ') && !line.trim().is_empty();
    let list: String = page[begin..].lines().take_while(is_further).collect();
    list.split('<').map(|group| group.split(',').map(|module| module.trim().to_owned()).collect()).collect()
}

#[test]
fn a_module_names_none_above_it() {
    for (name, folder, least) in [("shared", "../shared/src", 30), ("core", "core/src", 30), ("server", "src", 60)] {
        let modules = Crate::read(&source(folder));
        assert!(modules.0.len() > least, "{name} has {} modules", modules.0.len());
        assert_eq!(modules.upwards(), Vec::<String>::new(), "in {name}");

        let groups = printed(name);
        assert_eq!(groups.concat(), modules.0[&Name::new()].children, "ARCHITECTURE.md and lib.rs of {name}");
        let group = |of: &Name| groups.iter().position(|group| of.first().is_some_and(|module| group.contains(module)));
        let each = modules.0.iter().flat_map(|(one, module)| module.names.iter().map(move |other| (one, other)));
        let beside = |(one, other): &(&Name, &Name)| one.first() != other.first() && group(one) == group(other);
        let beside: Vec<_> = each.filter(|(one, _)| !one.is_empty()).filter(beside).collect();
        assert!(beside.is_empty(), "in {name}: {beside:?}");
    }
}

#[test]
fn names_are_found_in_whatever_form() {
    let mut module = Module::default();
    let text = "mod low; #[cfg(test)] mod tests { use crate::unseen; } mod high { pub fn f() { super::g(); } }
        use super::{a::{self, B}, c as d}; use crate::e; fn h() -> self::low::F { log!(\"{}\", crate::i::j::<K>()) }";
    module.read(text.parse().unwrap(), &vec!["m".to_owned(), "n".to_owned()]);
    assert_eq!(module.children, ["low"]);
    let names: Vec<_> = module.names.iter().map(|name| name.join("::")).collect();
    assert_eq!(names, ["m::g", "m::a", "m::a::B", "m::c", "e", "m::n::low::F", "i::j"]);

    let mut modules = Crate::default();
    modules.0.insert(Name::new(), Module { children: vec!["low".to_owned(), "high".to_owned()], names: Vec::new() });
    let names = vec![vec!["high".to_owned(), "X".to_owned()], vec!["low".to_owned()]];
    modules.0.insert(vec!["low".to_owned(), "in".to_owned()], Module { children: Vec::new(), names });
    assert_eq!(modules.upwards(), ["low::in names high::X"]);
}
