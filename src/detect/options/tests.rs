//! Every shape of choices, in words of our own.

use super::*;

fn read(text: &str) -> Option<Choices> {
    choices(&Text::new(text))
}

fn options(text: &str) -> Vec<String> {
    read(text).map(|choices| choices.options).unwrap_or_default()
}

#[test]
fn choices_are_read_whatever_way_they_are_put() {
    for (text, expected) in [
        ("trampoline vs foam pit", &["trampoline", "foam pit"][..]),
        ("Leeds, York or Hull for the reunion?", &["Leeds", "York", "Hull"]),
        ("kids menu, fish fingers or pasta?", &["fish fingers", "pasta"]),
        ("do we want the barn or the boathouse?", &["barn", "boathouse"]),
        ("should we meet at 9:00 or 9:30?", &["9:00", "9:30"]),
        ("£10, £20 or £30 for the kitty?", &["£10", "£20", "£30"]),
        ("are we leaving Friday night or Saturday morning", &["Friday night", "Saturday morning"]),
        ("either ham and cheese or cheese and onion?", &["ham and cheese", "cheese and onion"]),
        ("👍 = keep the quiz, 👎 = drop it", &["keep the quiz", "drop it"]),
        ("A) bowling B) darts C) early night", &["bowling", "darts", "early night"]),
        ("vote with a number. 1 salmon, 2 beef, 3 risotto", &["salmon", "beef", "risotto"]),
        ("vote on the colour: teal, plum, mustard", &["teal", "plum", "mustard"]),
        ("poll: gym / hall / lawn by the lake. go", &["gym", "hall", "lawn by the lake"]),
        ("starter?\n- soup\n- salad\n- bruschetta", &["soup", "salad", "bruschetta"]),
        ("hands up for darts, hands up for pool", &["darts", "pool"]),
        ("Rome? Lisbon? Split?", &["Rome", "Lisbon", "Split"]),
        ("torn between lilac and sage, thoughts?", &["lilac", "sage"]),
        ("do we hire a bouncer, yes or no?", &["yes", "no"]),
        ("give me a 🍕 or a 🍣", &["pizza", "sushi"]),
        ("my dad says jazz, my mum says soul. Your verdict please", &["jazz", "soul"]),
    ] {
        assert_eq!(options(text), expected, "{text}");
    }
}

#[test]
fn each_choice_keeps_the_key_it_was_offered_under() {
    let keys = |text| read(text).unwrap().keys;
    let some = |keys: [&str; 2]| keys.map(|key| Some(key.to_owned())).to_vec();
    assert_eq!(keys("A) bowling B) darts"), some(["A", "B"]));
    assert_eq!(keys("lunch:\n1. pie\n2. stew"), some(["1", "2"]));
    assert_eq!(keys("🐟 for fish, 🥩 for steak"), some(["🐟", "🥩"]));
    assert_eq!(keys("fish or steak?"), [None, None]);
}

#[test]
fn the_shape_says_how_the_choices_were_put() {
    for (text, shape) in [
        ("1. pie\n2. stew", Shape::Keyed),
        ("pie vs stew", Shape::Set),
        ("stew y/n", Shape::YesNo),
        ("pie or stew?", Shape::Or),
        ("which one? pie, stew, salad", Shape::List),
        ("Pie? Stew? Salad?", Shape::Questions),
        ("it was pie or stew on Monday", Shape::Loose),
    ] {
        assert_eq!(read(text).map(|choices| choices.shape), Some(shape), "{text}");
    }
}

#[test]
fn talk_without_choices_puts_none() {
    for text in [
        "we booked the hall",
        "great 🎉 see you there 😂",
        "lol",
        "bring a coat or something",
        "is it more or less done?",
        "the bill is 3/4 paid",
    ] {
        assert!(options(text).is_empty(), "{text}");
    }
}

#[test]
fn odd_texts_are_read_without_harm() {
    for part in [
        "🎸",
        " or ",
        "1) ",
        "a? ",
        "\n- ",
        "İ",
        "yes/no ",
        "\0",
        "“a” or ",
        ", ",
        "who wants ",
        " vs ",
        "…",
        "(",
        "e\u{301}",
        "£ or £",
        "мы или ",
    ] {
        for count in [1, 2, 3, 50, 2000] {
            let _ = read(&part.repeat(count));
        }
    }
}

/// Pieces that tell of choices, and some that tear words apart.
const PARTS: &[&str] = &[
    "1",
    "\u{20e3}",
    ")",
    "2",
    " or ",
    ", ",
    "🎸",
    "❤️",
    "\n",
    "? ",
    ". ",
    ": ",
    " / ",
    "/",
    " vs ",
    "yes",
    "no",
    "hands up ",
    "who wants ",
    "£",
    "İ",
    "vote ",
    "a) ",
    "b ",
    "(",
    "\"",
    "...",
    "the ",
    " at 9",
    " says ",
    "between ",
    " and ",
    " - ",
    "ya ",
    "do we ",
    "é",
];

#[test]
fn any_mix_of_telling_parts_is_read_without_harm() {
    for one in PARTS {
        for two in PARTS {
            for three in PARTS {
                for text in [
                    format!("{one}{two}{three}"),
                    format!("{one}a {two}b{three}{one} c{two}{three}"),
                ] {
                    let _ = read(&text);
                }
            }
        }
    }
}
