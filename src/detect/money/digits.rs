//! A number in digits, with either habit of grouping: `1,050.00`, `1.050,00`, `2 500`, `1,20,000`, `1'200`.

/// A number that was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Digits {
    pub(super) value: f64,
    /// One past its last byte.
    pub(super) end: usize,
    /// How many digits it has before its decimals.
    pub(super) whole: usize,
    /// How many decimals it has.
    pub(super) decimals: usize,
    /// Whether marks group it: `1,200` is no phone number.
    pub(super) grouped: bool,
}

/// A mark between digits, and how many digits follow it.
type Group = (u8, usize);

/// How many groups a number may have; more is no money.
const GROUPS: usize = 6;

/// Reads the number that starts here; `Err` with its end when the digits are a date, a version or no number at all.
pub(super) fn read(text: &[u8], start: usize, blanks: bool) -> Result<Digits, usize> {
    let first = run(text, start);
    let mut groups: [Group; GROUPS] = [(0, 0); GROUPS];
    let (mut count, mut end) = (0, start + first);
    while let Some(mark) = text.get(end).copied() {
        let length = run(text, end + 1);
        let is_blank = mark == b' ' && blanks && length == 3 && end - start <= 11;
        if length == 0 || !(is_blank || matches!(mark, b',' | b'.' | b'\'')) {
            break;
        }
        if count == GROUPS {
            return Err(end + 1 + length);
        }
        groups[count] = (mark, length);
        count += 1;
        end += 1 + length;
    }
    let groups = &groups[..count];
    let Some(decimals) = decimals(first, groups) else { return Err(end) };
    let digits = text[start..end].iter().filter(|byte| byte.is_ascii_digit());
    let whole = digits.fold(0.0, |sum, byte| sum * 10.0 + f64::from(byte - b'0'));
    let value = whole / 10f64.powi(decimals as i32);
    let whole = first + groups.iter().map(|(_, length)| length).sum::<usize>() - decimals;
    let grouped = count > usize::from(decimals > 0);
    if value > 0.0 && value < 1e11 {
        Ok(Digits { value, end, whole, decimals, grouped })
    } else {
        Err(end)
    }
}

fn run(text: &[u8], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or(&[]);
    rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// How many of the digits are decimals; nothing when the marks make no number.
fn decimals(first: usize, groups: &[Group]) -> Option<usize> {
    let Some(((last, length), before)) = groups.split_last() else { return Some(0) };
    let mark = before.first().map(|(mark, _)| *mark);
    let grouping = |groups: &[Group]| {
        let alike = groups.iter().all(|(mark, _)| Some(*mark) == groups.first().map(|it| it.0));
        let inner = groups.iter().rev().skip(1).all(|(_, length)| matches!(length, 2 | 3));
        let ends = groups.last().is_none_or(|(_, length)| *length == 3);
        alike && inner && ends && first <= 3
    };
    match length {
        3 if grouping(groups) => Some(0),
        1 | 2 if matches!(last, b',' | b'.') && mark != Some(*last) && grouping(before) => {
            Some(*length)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_habits_of_grouping_are_read() {
        for (text, value) in [
            ("7", 7.0),
            ("1,050.00", 1_050.0),
            ("1.050,00", 1_050.0),
            ("3 750", 3_750.0),
            ("1,20,000", 120_000.0),
            ("1'200.50", 1_200.5),
            ("12,5", 12.5),
            ("2 345,67", 2_345.67),
            ("10,00,000", 1_000_000.0),
        ] {
            assert_eq!(read(text.as_bytes(), 0, true).map(|it| it.value), Ok(value), "{text}");
        }
    }

    #[test]
    fn dates_and_versions_are_no_numbers() {
        for text in ["12.04.2026", "1.2.3", "1,2,3", "0", "0.00", "99999999999999"] {
            assert!(read(text.as_bytes(), 0, true).is_err(), "{text}");
        }
    }
}
