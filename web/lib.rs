//! The browser's side of Tiltyard as files in a binary: the SDK, and the pages of the games. Plain ES modules, no build
//! step.

/// All files that a server serves, by their paths from here: `index.html`, `sdk/client.js`.
pub const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The text of a file; `None` if it does not exist or is not text.
pub fn text(path: &str) -> Option<&'static str> {
    let (_, bytes) = FILES.iter().find(|(name, _)| *name == path)?;
    std::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_scripts_and_styles_are_there_and_nothing_of_their_making() {
        assert!(text("index.html").is_some_and(|page| page.contains("page/main.js")));
        assert!(text("sdk/index.js").is_some() && text("games/pong/index.js").is_some());
        let other = |path: &str| {
            ["package", "tsconfig", "test", "node_modules", "build.rs"].iter().any(|part| path.contains(part))
        };
        assert_eq!(FILES.iter().map(|(path, _)| *path).find(|path| other(path)), None);
    }
}
