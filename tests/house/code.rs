//! Source files, and their code without comments and the insides of literals.

use std::fs;
use std::path::{Path, PathBuf};

/// A Rust file.
pub(crate) struct Source {
    /// Its path from the repository's root, with forward slashes.
    pub path: String,
    /// The file as it is.
    pub text: String,
    /// The same lines, with comments and literals blanked.
    pub code: String,
}

impl Source {
    /// The number of the line in which a byte of `code` stands.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files under a folder of the repository.
pub(crate) fn rust_files(folder: &str) -> Vec<Source> {
    files(&root().join(folder), "rs").into_iter().map(|path| read(&path)).collect()
}

/// All files with an ending under a folder, sorted; none when there is no such folder.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let relative = path.strip_prefix(root()).unwrap();
    let path = relative.to_string_lossy().replace('\\', "/");
    Source { path, code: blanked(&text), text }
}

/// The text with comments and the insides of literals as spaces; lines stay where they are.
fn blanked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = at + opaque(&bytes[at..], at == 0 || !is_word(bytes[at - 1]));
        for byte in &mut code[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(code).unwrap()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many bytes of a comment or literal begin here; 0 for code.
fn opaque(rest: &[u8], after_boundary: bool) -> usize {
    match rest {
        [b'/', b'/', ..] => rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => quoted(rest, b'"'),
        [b'r', b'"' | b'#', ..] if after_boundary => raw(rest),
        // What a `b` or `c` begins goes on as an ordinary or raw literal.
        [b'b' | b'c', b'r', b'"' | b'#', ..] if after_boundary => 1 + raw(&rest[1..]),
        [b'\'', b'\\', ..] => quoted(rest, b'\''),
        [b'\'', ..] => character(rest),
        _ => 0,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => depth += 1,
            [b'*', b'/', ..] => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &[u8], mark: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != mark {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// `r"…"`, `r#"…"#`; 0 for a raw identifier.
fn raw(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|b| **b == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let end = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    let from = 2 + hashes;
    let inside = rest[from..].windows(end.len()).position(|window| window == end);
    inside.map_or(rest.len(), |inside| from + inside + end.len())
}

/// `'x'`; 0 for a lifetime.
fn character(rest: &[u8]) -> usize {
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(9)]).into_owned();
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(inside), Some('\'')) => 2 + inside.len_utf8(),
        _ => 0,
    }
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = "let a = \"fn {\"; // fn {\nlet b = r#\"\" {\"#; let c: &'static str = '{'; /* { */ '\\'' b'}' r#fn";
    let code = blanked(text);
    assert!(!code.contains('{') && !code.contains('}') && code.contains("&'static str"));
    assert_eq!((code.len(), code.matches('\n').count()), (text.len(), 1));
    assert!(code.ends_with("r#fn"));
}
