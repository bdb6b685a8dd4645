//! Every relative link of every Markdown page leads to a file that exists, and to a heading of it, by the forge's rules.
//! The book's SUMMARY.md names every page of docs/. `make book` checks the links of the built book.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, mem,
    path::{Component, Path, PathBuf},
};

/// Folders without pages of ours.
const NOT_OURS: [&str; 3] = [".git", "node_modules", "target"];

/// A page: where its links lead, and the anchors of its headings.
#[derive(Debug, Default, PartialEq)]
struct Page {
    links: Vec<String>,
    anchors: BTreeSet<String>,
}

impl Page {
    fn read(text: &str) -> Self {
        let mut page = Self::default();
        // A span of code or a link may go on in the next line, but not in the next paragraph.
        let (mut paragraph, mut open) = (String::new(), None);
        for line in text.lines() {
            let fence = fence(line);
            if let Some(mark) = open {
                if fence.is_some_and(|end| end.starts_with(mark) && end == line.trim()) {
                    open = None;
                }
                continue;
            }
            open = fence;
            if fence.is_some() || line.is_empty() || line.starts_with('#') {
                page.read_links(&mem::take(&mut paragraph));
            }
            if fence.is_none() {
                page.read_heading(line);
                paragraph.extend([line, "\n"]);
            }
        }
        page.read_links(&paragraph);
        page
    }

    fn read_heading(&mut self, line: &str) {
        let Some(heading) = line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')) else {
            return;
        };
        let slug = slug(&shown(heading));
        let mut anchors = (1..).map(|again| format!("{slug}-{again}"));
        let mut anchor = slug.clone();
        while !self.anchors.insert(anchor) {
            anchor = anchors.next().expect("numbers do not end");
        }
    }

    fn read_links(&mut self, paragraph: &str) {
        let text = without_code(paragraph);
        let ends = text.match_indices("](").map(|(at, _)| &text[at + 2..]);
        let inline = ends.filter_map(|rest| rest.split([')', ' ', '\n']).next());
        let defined = text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ").map(|(_, link)| link));
        self.links.extend(inline.chain(defined).map(str::to_owned));
    }
}

/// The marks at the beginning of a line that open or close a block of code.
fn fence(line: &str) -> Option<&str> {
    let start = line.trim_start();
    let marks = start.len() - start.trim_start_matches(['`', '~']).len();
    (marks >= 3).then(|| &start[..marks])
}

/// A paragraph without its spans of code: each ends with as many backticks as it begins with.
fn without_code(paragraph: &str) -> String {
    let (mut text, mut rest) = (String::new(), paragraph);
    while let Some(at) = rest.find('`') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        let (mark, behind) = rest.split_at(ticks);
        let ends = behind.match_indices(mark).map(|(end, _)| end);
        let mut alone = ends.filter(|end| !behind[..*end].ends_with('`') && !behind[end + ticks..].starts_with('`'));
        rest = alone.next().map_or(behind, |end| &behind[end + ticks..]);
    }
    text + rest
}

/// The heading without the targets of its links.
fn shown(heading: &str) -> String {
    let mut parts = heading.split("](");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| shown + part.split_once(')').map_or(part, |(_, behind)| behind))
}

/// The anchor that the forge makes for a heading: small letters, digits, `_` and `-`, with `-` for a space.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().flat_map(char::to_lowercase);
    kept.filter(|c| c.is_alphanumeric() || " -_".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Markdown pages of a folder, and of those in it, by their paths from the root on.
fn pages_of(folder: impl AsRef<Path>) -> BTreeMap<PathBuf, Page> {
    let folder = folder.as_ref();
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if !NOT_OURS.iter().any(|name| entry.file_name() == *name) {
                pages.extend(pages_of(path));
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let text = fs::read_to_string(root().join(&path)).unwrap();
            pages.insert(path, Page::read(&text));
        }
    }
    pages
}

/// The path to which a link on a page leads, from the root on; `None` if that is outside of the repository.
fn target(page: &Path, link: &str) -> Option<PathBuf> {
    let mut path = page.parent()?.to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir if !path.pop() => return None,
            Component::ParentDir | Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// Whether a link on a page leads somewhere. Links to other hosts are not followed.
fn leads(pages: &BTreeMap<PathBuf, Page>, page: &Path, link: &str) -> bool {
    if link.contains("://") || link.starts_with("mailto:") {
        return true;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { Some(page.to_owned()) } else { target(page, file) };
    path.is_some_and(|path| match anchor {
        Some(anchor) => pages.get(&path).is_some_and(|page| page.anchors.contains(anchor)),
        None => root().join(path).exists(),
    })
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages_of("");
    assert!(pages.len() > 10, "these are not all pages: {:?}", pages.keys());
    let all = pages.iter().flat_map(|(page, read)| read.links.iter().map(move |link| (page, link)));
    let broken: Vec<_> = all.filter(|(page, link)| !leads(&pages, page, link)).collect();
    assert!(broken.is_empty(), "they lead nowhere: {broken:#?}");
}

#[test]
fn the_book_has_every_page_of_docs() {
    let (docs, summary) = (pages_of("docs"), Path::new("docs/SUMMARY.md"));
    let links = &docs[summary].links;
    let named: BTreeSet<_> = links.iter().filter_map(|link| target(summary, link)).collect();
    assert_eq!(named.len(), links.len(), "docs/SUMMARY.md names a page twice, or one that is outside");
    let missing: Vec<_> = docs.keys().filter(|page| *page != summary && !named.contains(*page)).collect();
    assert!(missing.is_empty(), "docs/SUMMARY.md lacks {missing:?}");
}

const PAGE: &str = r#"# A `Page`: of [links](one.md)

See [two
lines](../two.md#there), `[no](code)`, [`yes`](#a-page-of-links), ![a picture](a.png "title").
``a ` b`` [three](three/)

````md
# no heading
```
[no](fence.md)
````
## Again_and again!
## Again_and again
#none
[four]: four.md
"#;

#[test]
fn pages_are_read_as_the_forge_reads_them() {
    let page = Page::read(PAGE);
    assert_eq!(page.links, ["one.md", "../two.md#there", "#a-page-of-links", "a.png", "three/", "four.md"]);
    assert_eq!(page.anchors, ["a-page-of-links", "again_and-again", "again_and-again-1"].map(str::to_owned).into());
}

#[test]
fn a_link_that_leads_nowhere_is_noticed() {
    let docs = pages_of("docs");
    let leads = |link| leads(&docs, Path::new("docs/metrics.md"), link);
    for good in ["pong.md", "pong.md#the-rules", "../deploy", "#metrics", "https://example.org/no.md"] {
        assert!(leads(good), "{good}");
    }
    for bad in ["pong", "pong.md#no-rules", "../../README.md", "/README.md", "#pong", "client.py#L1"] {
        assert!(!leads(bad), "{bad}");
    }
}
