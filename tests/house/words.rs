//! Words that must not be left in the code.

use regex::Regex;

use crate::code::rust_files;
use crate::nobody_complains;

const BANNED: [(&str, &str); 5] = [
    (r"\btodo!", "what is not built is not merged"),
    (r"\bunimplemented!", "what is not built is not merged"),
    (r"#\[ignore", "a test that does not run guards nothing: it fails and says what it needs"),
    (r"\bmod utils?\b", "a name that says nothing collects what belongs elsewhere"),
    (r"\buse [\w:]*\butils?::", "a name that says nothing collects what belongs elsewhere"),
];

#[test]
fn no_banned_word_stands_in_the_code() {
    let sources: Vec<_> = ["src", "tests", "benches"].into_iter().flat_map(rust_files).collect();
    let mut complaints = Vec::new();
    for (word, reason) in BANNED {
        let word = Regex::new(word).unwrap();
        for source in &sources {
            for found in word.find_iter(&source.code) {
                let line = source.line(found.start());
                // Another crate may call its modules as it likes.
                if found.as_str().starts_with("use ") && !found.as_str().contains("crate::") {
                    continue;
                }
                complaints.push(format!("{}:{line}: {}: {reason}", source.path, found.as_str()));
            }
        }
    }
    nobody_complains(&complaints);
}

#[test]
fn no_file_is_called_utils() {
    let nameless = Regex::new(r"(^|/)(utils?|helpers?|misc)(\.rs$|/)").unwrap();
    let mut complaints = Vec::new();
    for source in ["src", "tests"].into_iter().flat_map(rust_files) {
        if nameless.is_match(&source.path) {
            complaints.push(format!("{}:1: a file is named by what it is about", source.path));
        }
    }
    nobody_complains(&complaints);
}
