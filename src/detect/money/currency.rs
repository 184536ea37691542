//! Signs, codes and words for currencies.

/// Codes that may stand before or after a number, in lower case.
#[rustfmt::skip]
const CODES: &[(&str, &str)] = &[
    ("aed", "AED"), ("ars", "ARS"), ("aud", "AUD"), ("bbd", "BBD"), ("brl", "BRL"),
    ("bwp", "BWP"), ("cad", "CAD"), ("chf", "CHF"), ("clp", "CLP"), ("cny", "CNY"),
    ("czk", "CZK"), ("dkk", "DKK"), ("egp", "EGP"), ("etb", "ETB"), ("eur", "EUR"),
    ("fjd", "FJD"), ("gbp", "GBP"), ("ghs", "GHS"), ("hkd", "HKD"), ("huf", "HUF"),
    ("idr", "IDR"), ("ils", "ILS"), ("inr", "INR"), ("isk", "ISK"), ("jmd", "JMD"),
    ("jpy", "JPY"), ("kes", "KES"), ("krw", "KRW"), ("lkr", "LKR"), ("mur", "MUR"),
    ("mxn", "MXN"), ("myr", "MYR"), ("ngn", "NGN"), ("nok", "NOK"), ("npr", "NPR"),
    ("nzd", "NZD"), ("php", "PHP"), ("pkr", "PKR"), ("pln", "PLN"), ("qar", "QAR"),
    ("rwf", "RWF"), ("sar", "SAR"), ("sek", "SEK"), ("sgd", "SGD"), ("thb", "THB"),
    ("ttd", "TTD"), ("twd", "TWD"), ("tzs", "TZS"), ("ugx", "UGX"), ("usd", "USD"),
    ("vnd", "VND"), ("xaf", "XAF"), ("xof", "XOF"), ("zar", "ZAR"), ("zmw", "ZMW"),
    ("omr", "OMR"), ("kwd", "KWD"), ("bhd", "BHD"), ("bdt", "BDT"),
];

/// Letters before a number: `Rs 500`, `RM450`, `KSh 1,200`, `P5,000`.
#[rustfmt::skip]
const BEFORE: &[(&str, &str)] = &[
    ("rs", "INR"), ("rm", "MYR"), ("ksh", "KES"), ("kshs", "KES"), ("kes", "KES"),
    ("ugsh", "UGX"), ("ush", "UGX"), ("tsh", "TZS"), ("gh", "GHS"), ("ghc", "GHS"),
    ("php", "PHP"), ("rp", "IDR"), ("fr", "CHF"), ("sfr", "CHF"), ("dhs", "AED"), ("dh", "AED"),
    ("stg", "GBP"), ("tk", "BDT"), ("zl", "PLN"), ("eu", "EUR"), ("baht", "THB"), ("euro", "EUR"),
    ("naira", "NGN"),
];

/// Words after a number.
#[rustfmt::skip]
const AFTER: &[(&str, &str)] = &[
    ("quid", "GBP"), ("quids", "GBP"), ("pound", "GBP"), ("pounds", "GBP"), ("sterling", "GBP"),
    ("squid", "GBP"), ("p", ""), ("buck", "USD"), ("bucks", "USD"), ("dollar", "USD"),
    ("dollars", "USD"), ("dolla", "USD"), ("dollas", "USD"), ("dólares", "USD"),
    ("dolares", "USD"), ("euro", "EUR"), ("euros", "EUR"), ("eur", "EUR"), ("yoyos", "EUR"),
    ("rupee", "INR"), ("rupees", "INR"), ("rs", "INR"), ("rand", "ZAR"), ("rands", "ZAR"),
    ("naira", "NGN"), ("dirham", "AED"), ("dirhams", "AED"), ("ringgit", "MYR"), ("rm", "MYR"),
    ("franc", "CHF"), ("francs", "CHF"), ("franken", "CHF"), ("stutz", "CHF"), ("bob", "KES"),
    ("shilling", "KES"), ("shillings", "KES"), ("ksh", "KES"), ("kes", "KES"), ("peso", "PHP"),
    ("pesos", "PHP"), ("php", "PHP"), ("cedi", "GHS"), ("cedis", "GHS"), ("ghana", "GHS"),
    ("zł", "PLN"), ("zloty", "PLN"), ("zlotys", "PLN"), ("złoty", "PLN"), ("złotych", "PLN"),
    ("zl", "PLN"), ("yen", "JPY"), ("won", "KRW"), ("baht", "THB"), ("lira", "TRY"),
    ("tl", "TRY"), ("shekel", "ILS"), ("shekels", "ILS"), ("riyal", "SAR"), ("riyals", "SAR"),
    ("reais", "BRL"), ("koruna", "CZK"), ("kč", "CZK"), ("forint", "HUF"), ("rupiah", "IDR"),
    ("taka", "BDT"), ("fr", "CHF"), ("frs", "CHF"), ("eu", "EUR"), ("dollarydoos", "AUD"),
    ("kwacha", "ZMW"), ("pula", "BWP"), ("kroner", "NOK"), ("kronor", "SEK"), ("birr", "ETB"),
];

/// Letters glued to a dollar sign: `S$88`, `US$1,860`, `TT$1,000`.
#[rustfmt::skip]
const DOLLARS: &[(&str, &str)] = &[
    ("us", "USD"), ("usd", "USD"), ("a", "AUD"), ("au", "AUD"), ("aud", "AUD"), ("aus", "AUD"),
    ("nz", "NZD"), ("nzd", "NZD"), ("c", "CAD"), ("ca", "CAD"), ("cad", "CAD"), ("cdn", "CAD"),
    ("can", "CAD"), ("s", "SGD"), ("sg", "SGD"), ("sgd", "SGD"), ("hk", "HKD"), ("hkd", "HKD"),
    ("r", "BRL"), ("tt", "TTD"), ("j", "JMD"), ("ja", "JMD"), ("jm", "JMD"), ("jmd", "JMD"),
    ("bds", "BBD"), ("b", "BSD"), ("nt", "TWD"), ("mx", "MXN"), ("mex", "MXN"), ("fj", "FJD"),
    ("ec", "XCD"), ("n", "NAD"), ("gy", "GYD"), ("bz", "BZD"), ("z", "ZWL"),
];

/// Words after a dollar amount that say whose dollar it is.
#[rustfmt::skip]
const WHOSE: &[(&str, &str)] = &[
    ("canadian", "CAD"), ("australian", "AUD"), ("aussie", "AUD"), ("us", "USD"), ("nz", "NZD"),
    ("kiwi", "NZD"), ("singapore", "SGD"), ("sing", "SGD"), ("sg", "SGD"), ("hk", "HKD"),
    ("american", "USD"), ("fijian", "FJD"), ("fiji", "FJD"), ("au", "AUD"), ("ca", "CAD"),
    ("tt", "TTD"), ("jamaican", "JMD"), ("can", "CAD"),
];

fn of(list: &[(&'static str, &'static str)], word: &str) -> Option<&'static str> {
    list.iter().find(|(known, _)| *known == word).map(|(_, code)| *code)
}

/// What a sign means.
pub(super) fn of_sign(sign: char) -> Option<&'static str> {
    Some(match sign {
        '£' => "GBP",
        '$' | '＄' | '💵' => "USD",
        '€' => "EUR",
        '₹' => "INR",
        '₦' => "NGN",
        '¥' | '￥' => "JPY",
        '₱' => "PHP",
        '₩' => "KRW",
        '₪' => "ILS",
        '₺' => "TRY",
        '₫' => "VND",
        '฿' => "THB",
        '₵' | '¢' => "GHS",
        '₴' => "UAH",
        '₽' => "RUB",
        '₨' => "INR",
        _ => return None,
    })
}

/// What the letters glued to a dollar sign make of it.
pub(super) fn of_dollar(letters: &str) -> Option<&'static str> {
    of(DOLLARS, letters)
}

/// What letters before a number mean. A lone letter must be a capital that is glued to the number.
pub(super) fn of_prefix(letters: &str, is_capital: bool, glued: bool) -> Option<&'static str> {
    match letters {
        "r" if glued || is_capital => Some("ZAR"),
        "n" if glued && is_capital => Some("NGN"),
        "p" if glued && is_capital => Some("PHP"),
        "try" if is_capital => Some("TRY"),
        "kr" => Some("NOK"),
        _ => of(BEFORE, letters).or_else(|| of(CODES, letters)),
    }
}

/// What a word after a number means.
pub(super) fn of_suffix(word: &str) -> Option<&'static str> {
    match word {
        "kr" => Some("NOK"),
        _ => of(AFTER, word).or_else(|| of(CODES, word)).filter(|code| !code.is_empty()),
    }
}

/// Whose dollar a word after it says it is.
pub(super) fn of_country(word: &str) -> Option<&'static str> {
    of(WHOSE, word).or_else(|| of(CODES, word))
}

/// Whether this word is the dollar that many countries have.
pub(super) fn is_dollar(word: &str) -> bool {
    matches!(word, "buck" | "bucks" | "dollar" | "dollars" | "dolla" | "dollas")
}
