//! Which rows a thing's words speak of.

use crate::detect::named;
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::projection::{ExpenseRow, PollRow, Projections, TaskRow, TaskStatus};
use crate::model::offline::{Category, vendor_category};

/// Words that tell one expense of a vendor from another, and name no thing where one stands beside them.
const PARTS: [&str; 9] =
    ["deposit", "balance", "advance", "rest", "half", "payment", "instalment", "fee", "remainder"];

/// Categories of one kind of vendor: whatever is booked there was for that vendor.
const OF_ONE_KIND: [&str; 4] = ["venue", "photography", "flowers", "cake"];

/// Words that mean a whole category.
const WHOLES: [(&str, &str); 16] = [
    ("food", "catering"),
    ("catering", "catering"),
    ("decor", "decor"),
    ("decoration", "decor"),
    ("flower", "flowers"),
    ("gift", "gifts"),
    ("present", "gifts"),
    ("transport", "transport"),
    ("travel", "transport"),
    ("music", "music"),
    ("entertainment", "entertainment"),
    ("accommodation", "accommodation"),
    ("lodging", "accommodation"),
    ("clothe", "attire"),
    ("outfit", "attire"),
    ("stationery", "stationery"),
];

/// What a question is about, ready to be held against rows.
#[derive(Debug, Clone)]
pub(super) struct Matter {
    /// Its words in the singular, without parts.
    words: Vec<String>,
    /// Deposit, balance and the like.
    parts: Vec<String>,
    /// Things by their own names.
    things: Vec<String>,
    /// The categories that those things fall under.
    categories: Vec<String>,
    /// The category that is meant as a whole.
    whole: Option<String>,
}

impl Matter {
    /// The matter that a phrase names.
    pub(super) fn of(phrase: &str) -> Self {
        let named = named(phrase);
        let spoken = words(phrase);
        let (mut parts, mut rest): (Vec<String>, Vec<String>) =
            spoken.into_iter().partition(|word| is_part(word));
        rest.retain(|word| word.len() >= 2 && !is_filler(word));
        if rest.is_empty() {
            std::mem::swap(&mut parts, &mut rest);
        }
        let whole = rest.iter().find_map(|word| whole(word));
        let mut categories = named.categories;
        categories.extend(rest.iter().filter_map(|word| vendor_category(word)).map(str::to_owned));
        categories.extend(vendor_category(phrase).map(str::to_owned));
        let things = named.things.into_iter().filter(|thing| !is_part(thing)).collect();
        Self { words: rest, parts, things, categories, whole }
    }

    /// Standing expenses, by their words, else by their category.
    pub(super) fn expenses<'a>(&self, rows: &'a Projections) -> Vec<&'a ExpenseRow> {
        let standing: Vec<&ExpenseRow> =
            rows.expenses.iter().filter(|row| row.status != ExpenseStatus::Cancelled).collect();
        let mut found: Vec<&ExpenseRow> = best(&standing, |row| self.likeness(&row.what));
        let named_none = found.is_empty();
        found.extend(standing.iter().filter(|row| self.falls_under(row, named_none)));
        let mut all: Vec<&ExpenseRow> =
            standing.into_iter().filter(|row| found.iter().any(|it| it.id == row.id)).collect();
        self.keep_parts(&mut all);
        all
    }

    /// Whether the row's category is what is meant. Of a category of many kinds of things that is
    /// only a row that names no other thing: the suits are not what the sherwani cost.
    fn falls_under(&self, row: &ExpenseRow, named_none: bool) -> bool {
        if let Some(whole) = &self.whole {
            return *whole == row.category;
        }
        let is_ours = self.categories.contains(&row.category) && row.category != "other";
        let of_one_kind = OF_ONE_KIND.contains(&row.category.as_str());
        let names_another =
            || named(&row.what).things.iter().any(|thing| !row.category.contains(thing.as_str()));
        is_ours && (of_one_kind || named_none && !names_another())
    }

    /// Whether a deposit, a balance or the like is meant.
    pub(super) fn is_payment(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Where a deposit or a balance was named, only such rows, if there are any.
    fn keep_parts(&self, rows: &mut Vec<&ExpenseRow>) {
        let has_part =
            |row: &&ExpenseRow| words(&row.what).iter().any(|word| self.parts.contains(word));
        if rows.iter().any(has_part) {
            rows.retain(has_part);
        }
    }

    /// The tasks that are most like it; those that stand before those that were called off.
    pub(super) fn tasks<'a>(&self, rows: &'a Projections) -> Vec<&'a TaskRow> {
        let all: Vec<&TaskRow> = rows.tasks.iter().collect();
        let found = best(&all, |task| {
            let object = self.likeness(&task.object) * 2;
            object + self.shared_words(&task.title)
        });
        let standing: Vec<&TaskRow> =
            found.iter().copied().filter(|task| task.status != TaskStatus::Cancelled).collect();
        if standing.is_empty() { found } else { standing }
    }

    /// The polls that are most like it, the latest first.
    pub(super) fn polls<'a>(&self, rows: &'a Projections) -> Vec<&'a PollRow> {
        let all: Vec<&PollRow> = rows.polls.iter().rev().collect();
        best(&all, |poll| {
            let options: Vec<&str> = poll.options.iter().map(|it| it.text.as_str()).collect();
            self.likeness(&format!("{} {}", poll.question, options.join(" ")))
        })
    }

    /// How many of its words a choice shares; each word counts once.
    pub(super) fn shared_words(&self, text: &str) -> usize {
        let own = words(text);
        self.words.iter().filter(|word| own.contains(word)).count()
    }

    /// Words count most; the same thing under another name counts too.
    fn likeness(&self, text: &str) -> usize {
        let shared = self.shared_words(text);
        if shared > 0 {
            return shared * 2;
        }
        let other = named(text);
        let same = self.things.iter().any(|thing| other.things.contains(thing) || thing == text);
        usize::from(same)
    }
}

/// Whether the word names a part of a payment.
pub(super) fn is_part(word: &str) -> bool {
    PARTS.contains(&word)
}

/// The rows with the highest mark above zero, in their order.
fn best<'a, T>(rows: &[&'a T], mark: impl Fn(&T) -> usize) -> Vec<&'a T> {
    let marks: Vec<usize> = rows.iter().map(|row| mark(row)).collect();
    let most = marks.iter().copied().max().unwrap_or_default();
    let marked = rows.iter().zip(marks).filter(|(_, mark)| *mark > 0 && *mark == most);
    marked.map(|(row, _)| *row).collect()
}

fn whole(word: &str) -> Option<String> {
    let of_word = WHOLES.iter().find(|(said, _)| *said == word).map(|(_, category)| *category);
    let category = of_word.or_else(|| Category::named(word).map(Category::name))?;
    (category != "other").then(|| category.to_owned())
}

/// The words of a text in lower case and in the singular, without apostrophes.
pub(super) fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace(['\'', '’'], "");
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(singular).collect()
}

fn singular(word: &str) -> String {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() >= 2 && !stem.ends_with('s') => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// Words of a subject that name no thing.
#[rustfmt::skip]
const FILLERS: [&str; 62] = [
    "the", "a", "an", "of", "for", "on", "in", "at", "and", "or", "to", "our", "my", "your", "we",
    "so", "far", "spend", "spent", "spending", "cost", "money", "paid", "unpaid", "status", "task",
    "job", "vote", "poll", "v", "result", "book", "booking", "send", "make", "arrange", "buy",
    "collect", "contact", "confirm", "check", "bring", "return", "pay", "cancel", "thing", "stuff",
    "people", "guy", "lady", "man", "place", "still", "outstanding", "total", "left", "date",
    "other", "all", "thi", "that", "who",
];

pub(super) fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matter_is_words_parts_and_things_under_their_own_names() {
        let matter = Matter::of("the barn balance");
        assert_eq!((matter.words, matter.parts), (vec!["barn".to_owned()], vec!["balance".into()]));
        assert_eq!(Matter::of("deposits").words, ["deposit"]);
        assert_eq!(Matter::of("food").whole.as_deref(), Some("catering"));
        assert!(Matter::of("florist").categories.contains(&"flowers".to_owned()));
    }
}
