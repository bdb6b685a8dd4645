//! The page and the browser SDK: files inside the binary, or in an operator's folder that takes precedence.
//!
//! Browsers revalidate files each time (`no-cache` with an entity tag), so that a new server is never played with an
//! old page. The stamp identifies the set of files in the binary.

use std::{borrow::Cow, collections::BTreeMap, fs, io::Read as _, path::PathBuf, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse as _, Response},
};

use super::Gateway;

/// The maximum size in bytes of a file in the operator's folder.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The content security policy. It allows connections to other hosts because players may be redirected to other
/// instances.
const POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; \
    media-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'";

/// The header with the stamp.
const STAMP: HeaderName = HeaderName::from_static("tiltyard-stamp");

/// All files that are served.
#[derive(Debug)]
pub(crate) struct Pages {
    files: BTreeMap<&'static str, &'static [u8]>,
    folder: Option<PathBuf>,
    stamp: String,
}

impl Pages {
    /// Serves the files of a folder first, then those of the binary.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        let files: BTreeMap<_, _> = tiltyard_web::FILES.iter().copied().collect();
        let all = files.iter().flat_map(|(path, bytes)| [path.as_bytes(), bytes]);
        let stamp = format!("{:016x}", all.fold(FNV_START, hash));
        Self { files, folder, stamp }
    }

    /// Identifies the files of the binary: other files have another stamp.
    pub(crate) fn stamp(&self) -> &str {
        &self.stamp
    }

    fn find(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        let own = self.folder.as_ref().filter(|_| is_plain(path)).and_then(|folder| {
            let mut bytes = Vec::new();
            let file = fs::File::open(folder.join(path)).ok()?;
            file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
            Some(Cow::Owned(bytes))
        });
        own.or_else(|| self.files.get(path).map(|bytes| Cow::Borrowed(*bytes)))
    }

    fn serve(&self, path: &str, headers: &HeaderMap) -> Response {
        let (Some(kind), Some(bytes)) = (kind(path), self.find(path)) else {
            return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
        };
        let tag = format!("\"{:016x}\"", hash(FNV_START, &bytes));
        let known = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
        let mut response = if known.is_some_and(|known| known.split(',').any(|one| one.trim().ends_with(&tag))) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            match bytes {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes).into_response(),
                Cow::Owned(bytes) => bytes.into_response(),
            }
        };
        let header = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static(kind)),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
            (ETAG, header(&tag)),
            (STAMP, header(&self.stamp)),
        ];
        for (name, value) in headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// `GET /` and `GET /rooms/{room}`: the page, which reads its own address. A binary built without it tells what else it
/// offers.
pub(super) async fn index(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    if gateway.pages.find("index.html").is_some() {
        return gateway.pages.serve("index.html", &headers);
    }
    let (version, games) = (env!("CARGO_PKG_VERSION"), gateway.games.names().join(", "));
    let url = gateway.socket_url(&headers);
    format!("Tiltyard {version}: a multiplayer room server\n\nGames:     {games}\nWebSocket: {url}\n").into_response()
}

/// `GET /web/{path}`.
pub(super) async fn file(
    State(gateway): State<Arc<Gateway>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    gateway.pages.serve(&path, &headers)
}

/// The media type of a file by its extension; `None` for files that are not served.
fn kind(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => return None,
    })
}

/// Whether a path stays in its folder: names without a leading dot, made of letters, digits, dashes, dots and
/// underscores.
fn is_plain(path: &str) -> bool {
    let plain = |name: &str| {
        !name.is_empty()
            && !name.starts_with('.')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    path.split('/').all(plain)
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, 64 bits.
fn hash(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_do_not_leave_the_folder() {
        for good in ["index.html", "games/my-game/index.js", "a_b/c.d.js"] {
            assert!(is_plain(good), "{good}");
        }
        for bad in
            ["", "/etc/x.json", "../x.js", "games/../../x.js", "games//x.js", ".git/x.json", "a\\b.js", "a%2fb.js"]
        {
            assert!(!is_plain(bad), "{bad}");
        }
    }

    #[test]
    fn tests_and_settings_of_the_web_folder_are_not_in_the_binary() {
        for (path, _) in tiltyard_web::FILES {
            assert!(kind(path).is_some() && is_plain(path), "{path}");
            assert!(["test/", "e2e/", "node_modules/"].iter().all(|part| !path.contains(part)), "{path}");
            assert!(!path.ends_with("tsconfig.json") && !path.ends_with("package.json"), "{path}");
        }
    }
}
