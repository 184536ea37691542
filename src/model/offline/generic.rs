//! What to say of a thing that the knowledge base does not know: general sense, by what is done with it.

use crate::domain::enrichment::TaskBase;

use super::knowledge::Category;

/// The longest object that is written into an answer, in characters.
const LONGEST_OBJECT: usize = 60;

/// A sensible base for a thing that nobody described.
pub(super) fn task(object: &str, action: &str, category: Category) -> TaskBase {
    let thing: String = object.trim().chars().take(LONGEST_OBJECT).collect();
    let thing = if thing.is_empty() { "thing".to_owned() } else { thing };
    let (steps, asks, lead_time_days, high) = by_action(action);
    let fill = |lines: &[&str]| lines.iter().map(|line| line.replace("{}", &thing)).collect();
    TaskBase {
        category: category.name().to_owned(),
        checklist: fill(steps),
        questions: fill(asks),
        lead_time_days,
        budget_share_low: 0.0,
        budget_share_high: high,
    }
}

type Advice = (&'static [&'static str], &'static [&'static str], u32, f64);

fn by_action(action: &str) -> Advice {
    match action {
        "buy" | "pay" => (BUY.0, BUY.1, 14, 3.0),
        "make" => (MAKE.0, MAKE.1, 14, 1.0),
        "contact" | "send" | "check" | "confirm" | "cancel" => (SAY.0, SAY.1, 14, 0.5),
        "collect" | "bring" | "return" => (CARRY.0, CARRY.1, 3, 0.5),
        _ => (BOOK.0, BOOK.1, 45, 5.0),
    }
}

type Lines = (&'static [&'static str], &'static [&'static str]);

const BOOK: Lines = (
    &[
        "Write down what the {} must do, for how many people, when and where",
        "Ask two or three for a written price with everything in it",
        "Compare terms of deposit and cancellation, then book in writing",
        "Confirm date, address and a phone number a week ahead",
    ],
    &[
        "Is the {} free on our date, and for how long?",
        "What exactly is in the price, and what costs extra?",
        "What are deposit, balance date and cancellation terms?",
    ],
);

const BUY: Lines = (
    &[
        "Settle how many, which size or kind, and the most it may cost",
        "Compare two shops with delivery and returns",
        "Buy in time for a replacement, and keep the receipt",
        "Enter the amount, so that it is shared",
    ],
    &[
        "When will the {} be there?",
        "Can it be returned or exchanged?",
        "Is there a better price for our number?",
    ],
);

const MAKE: Lines = (
    &[
        "Agree what the {} should be like, and who has the last word",
        "Collect what is needed for it: names, pictures, material",
        "Make a first version early, and have one other person look at it",
        "Finish it three days ahead, and settle who brings it",
    ],
    &[
        "Who is it for, and how many are needed?",
        "What must be in it, and what must not?",
        "By when is the first version wanted?",
    ],
);

const SAY: Lines = (
    &[
        "Find the right person and number or address",
        "Write down what is to be asked or said about the {}",
        "Do it, and note the answer with date and name",
        "Tell the group, and say what follows",
    ],
    &[
        "Who decides about the {} there?",
        "By when do they need to know, and by when do we?",
        "Can we have it in writing?",
    ],
);

const CARRY: Lines = (
    &[
        "Settle where the {} is, its size, and who hands it over",
        "Check opening hours and what must be shown or paid",
        "Find a car and hands that are big enough",
        "Say when it is there, and where it stands",
    ],
    &[
        "From when until when can it be fetched or handed in?",
        "Is a receipt, an ID or a deposit needed?",
        "Who is there to help carrying?",
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_advice_that_names_the_thing() {
        let other = Category::named("other").unwrap();
        for action in ["book", "buy", "make", "contact", "collect", "juggle"] {
            let base = task("yak", action, other);
            let text = base.checklist.join(" ") + &base.questions.join(" ");
            assert!(text.contains("yak"), "{action}: {text}");
            assert!(!text.contains("{}"), "{action}: {text}");
        }
    }

    #[test]
    fn a_long_object_is_cut() {
        let base = task(&"x".repeat(10_000), "book", Category::named("other").unwrap());
        assert!(base.checklist[0].len() < 300);
    }
}
