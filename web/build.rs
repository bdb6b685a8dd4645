//! Makes a table of the files here that are served.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// What is served: two files and three folders.
const SERVED: [&str; 5] = ["index.html", "style.css", "games", "page", "sdk"];

/// Kinds of files that are.
const KINDS: [&str; 6] = ["html", "css", "js", "json", "svg", "png"];

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var(name).expect("cargo sets it");
    let web = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for name in SERVED {
        println!("cargo:rerun-if-changed={}", web.join(name).display());
        collect(&web, Path::new(name), &mut files)?;
    }
    files.sort();
    let mut table = "&[\n".to_owned();
    for file in files {
        table += &format!("({:?}, include_bytes!({:?})),\n", file, web.join(&file).canonicalize()?);
    }
    fs::write(Path::new(&variable("OUT_DIR")).join("files.rs"), table + "]\n")
}

fn collect(web: &Path, path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let full = web.join(path);
    if full.is_dir() {
        for entry in fs::read_dir(full)? {
            collect(web, &path.join(entry?.file_name()), files)?;
        }
    } else if full.is_file() && is_served(path) {
        files.push(path.to_owned());
    }
    Ok(())
}

fn is_served(path: &Path) -> bool {
    let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
    let settings = path.file_name().is_some_and(|name| name == "tsconfig.json" || name == "package.json");
    KINDS.contains(&kind) && !settings
}
