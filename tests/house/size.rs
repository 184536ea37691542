//! No file over 500 lines, no function over 40.

use regex::Regex;

use crate::code::{Source, rust_files};
use crate::nobody_complains;

const LONGEST_FILE: usize = 500;
const LONGEST_FUNCTION: usize = 40;

fn everything() -> Vec<Source> {
    ["src", "tests", "benches"].into_iter().flat_map(rust_files).collect()
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let mut complaints = Vec::new();
    for source in everything() {
        let lines = source.text.lines().count();
        if lines > LONGEST_FILE {
            complaints.push(format!(
                "{}:{LONGEST_FILE}: {lines} lines, at most {LONGEST_FILE}: a longer file holds two \
                 things; give the second its own",
                source.path
            ));
        }
    }
    nobody_complains(&complaints);
}

#[test]
fn no_function_is_longer_than_a_screen() {
    let function = Regex::new(r"\bfn\s+(\w+)").unwrap();
    let mut complaints = Vec::new();
    for source in everything() {
        for found in function.captures_iter(&source.code) {
            let start = found.get(0).unwrap().start();
            let Some(end) = end_of_body(&source.code[start..]) else { continue };
            let body = (source.line(start + end) - source.line(start)).saturating_sub(1);
            if body > LONGEST_FUNCTION {
                complaints.push(format!(
                    "{}:{}: fn {} has {body} lines, at most {LONGEST_FUNCTION}: a function is read \
                     at a glance; name its steps",
                    source.path,
                    source.line(start),
                    &found[1]
                ));
            }
        }
    }
    nobody_complains(&complaints);
}

/// Where the body of the function that begins here ends; `None` when it has none.
fn end_of_body(code: &str) -> Option<usize> {
    let (mut braces, mut others) = (0, 0);
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' => others += 1,
            b')' | b']' => others -= 1,
            b';' if braces == 0 && others == 0 => return None,
            b'{' => braces += 1,
            b'}' => {
                braces -= 1;
                if braces == 0 && others == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[test]
fn a_body_ends_at_its_own_brace() {
    assert_eq!(end_of_body("fn a(x: [u8; 2]) { { } }}"), Some(23));
    assert_eq!(end_of_body("fn a(x: [u8; 2]); fn b() {}"), None);
}
