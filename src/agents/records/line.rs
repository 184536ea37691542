//! A question as words: what the patterns are held against.

/// The words of a question, in lower case, without apostrophes, each between blanks.
#[derive(Debug, Clone)]
pub(super) struct Line(String);

impl Line {
    /// The line of a text: "Who's paid?" is ` whos paid `.
    pub(super) fn of(text: &str) -> Self {
        let text = text.to_lowercase().replace(['\'', '’'], "");
        let words: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        Self(format!(" {} ", words.join(" ")))
    }

    /// Whether one of the phrases, set apart by bars, was said as whole words.
    pub(super) fn says(&self, phrases: &str) -> bool {
        self.end_of(phrases).is_some()
    }

    /// The line without these phrases.
    pub(super) fn without(&self, phrases: &str) -> Self {
        let mut left = self.0.clone();
        for phrase in phrases.split('|') {
            left = left.replace(&format!(" {} ", phrase.trim()), " ");
        }
        Self(left)
    }

    /// Whether the word stands first or last.
    pub(super) fn is_at_an_end(&self, word: &str) -> bool {
        let line = self.0.trim();
        line.split(' ').next() == Some(word) || line.rsplit(' ').next() == Some(word)
    }

    /// What was said behind the first of the phrases that was said.
    pub(super) fn behind(&self, phrases: &str) -> Option<&str> {
        self.end_of(phrases).map(|end| self.0[end..].trim())
    }

    /// Whether one phrase of the first list is followed, somewhere, by one of the second.
    pub(super) fn says_then(&self, first: &str, second: &str) -> bool {
        let mut phrases = first.split('|');
        phrases.any(|phrase| {
            self.behind(phrase).is_some_and(|rest| Self(format!(" {rest} ")).says(second))
        })
    }

    /// Whether the line, without what leads in, begins with one of the phrases.
    pub(super) fn begins(&self, phrases: &str) -> bool {
        const LEADS: [&str; 24] = [
            "and", "so", "but", "hey", "hi", "ok", "okay", "wait", "sorry", "right", "well", "um",
            "erm", "also", "pls", "please", "guys", "all", "question", "now", "actually", "quick",
            "one", "oh",
        ];
        let mut rest = self.0.trim_start();
        while let Some((word, behind)) = rest.split_once(' ') {
            if phrases.split('|').any(|phrase| starts(rest, phrase.trim())) {
                return true;
            }
            if !LEADS.contains(&word) {
                return false;
            }
            rest = behind;
        }
        false
    }

    /// Whether it is asked for a yes or a no.
    pub(super) fn asks_whether(&self) -> bool {
        self.begins(
            "has|have|is|are|am|was|were|did|do|does|any|anyone|anybody|hasnt|havent|isnt|didnt",
        ) || self.says(
            "has anyone|has anybody|did anyone|did anybody|has someone|did someone|is anyone|\
             is anybody|is someone|have we|did we|are we|do we have|do we know if|know if|\
             if the|whether|yes or no|or not|or no|or is it|or are we|or what",
        ) || self.says_then("is|was|has|have|are|did", "yet|already|still|ever|in the end")
    }

    fn end_of(&self, phrases: &str) -> Option<usize> {
        phrases.split('|').find_map(|phrase| {
            let phrase = phrase.trim();
            let mut from = 0;
            while let Some(at) = self.0[from..].find(phrase) {
                let (start, end) = (from + at, from + at + phrase.len());
                let before = self.0[..start].ends_with(' ');
                if before && self.0[end..].starts_with(' ') {
                    return Some(end);
                }
                from = end;
            }
            None
        })
    }
}

fn starts(text: &str, phrase: &str) -> bool {
    text.strip_prefix(phrase).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_as_whole_words_and_apostrophes_do_not_count() {
        let line = Line::of("So, who's PAID what so far?!");
        assert!(line.says("nothing|whos paid"));
        assert!(!line.says("paid wha"));
        assert_eq!(line.behind("paid"), Some("what so far"));
        assert!(line.says_then("whos", "so far") && !line.says_then("so far", "whos"));
        assert!(line.begins("who|whos paid") && !line.begins("paid"));
    }

    #[test]
    fn a_yes_or_no_is_asked_for_by_how_the_question_begins() {
        for text in ["has the dj been paid?", "and did anyone book the band", "is that all?"] {
            assert!(Line::of(text).asks_whether(), "{text}");
        }
        assert!(!Line::of("who is doing the cake?").asks_whether());
    }
}
