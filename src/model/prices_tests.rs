//! The price book: golden vectors, tiers, bands, days, and the worst case.

use proptest::prelude::*;

use super::*;
use crate::model::Terms;

const ALL: &[Tier] = &[Tier::Standard, Tier::Us, Tier::Batch, Tier::Flex, Tier::Priority];

fn book() -> Arc<PriceBook> {
    PriceBook::bundled()
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn usage(input: u64, output: u64, read: u64, write_5m: u64, write_1h: u64) -> Usage {
    Usage { input, output, cache_read: read, cache_write_5m: write_5m, cache_write_1h: write_1h }
}

/// The standard price now.
fn price(model: &str, usage: Usage) -> Option<NanoUsd> {
    book().price(model, Tier::Standard, &usage, now())
}

fn bound(tiers: &'static [Tier], writes_cache: bool, prompt: u64, output: u64) -> Bound {
    Bound { prompt, output, terms: Terms { tiers, writes_cache } }
}

fn standard(prompt: u64, output: u64) -> Bound {
    bound(&[Tier::Standard], true, prompt, output)
}

#[test]
fn every_model_in_the_table_has_a_price_now() {
    assert!(book().models().count() >= 25);
    for model in book().models() {
        assert!(price(model, usage(1, 1, 1, 0, 0)).is_some(), "{model}");
    }
}

#[test]
fn cached_tokens_are_billed_once_as_on_the_invoice() {
    let written = price("claude-3-7-sonnet-20250219", usage(3, 550, 0, 12_304, 0));
    assert_eq!(written, Some(NanoUsd(54_399_000)));
    let read = price("claude-opus-4-5-20251101", usage(10, 5_120, 66_360, 32_435, 0));
    assert_eq!(read, Some(NanoUsd(363_948_750)));
}

#[test]
fn an_hours_cache_write_is_not_priced_as_five_minutes() {
    let written = price("claude-opus-5", usage(0, 0, 0, 0, 344_139));
    assert_eq!(written, Some(NanoUsd(3_441_390_000)));
}

#[test]
fn one_token_over_the_band_makes_the_whole_request_five_times_as_dear() {
    let cost = |read| price("claude-haiku-5-5", usage(50_000, 1_000, read, 0, 0)).unwrap().0;
    assert_eq!(cost(50_000), 5_000_000 + 500_000 + 500_000);
    assert_eq!(cost(50_001), 25_000_000 + 2_500_000 + 2_500_050);
}

#[test]
fn a_price_holds_from_its_day() {
    let cost = |at: &str| {
        let read = usage(0, 0, 1_000_000, 0, 0);
        book().price("claude-sonnet-5-5", Tier::Standard, &read, at.parse().unwrap()).unwrap()
    };
    assert_eq!(cost("2026-10-06T23:59:59Z"), NanoUsd(200_000_000));
    assert_eq!(cost("2026-10-07T00:00:00Z"), NanoUsd(100_000_000));
}

#[test]
fn each_tier_has_prices_of_its_own() {
    let cost = |model, tier, usage: Usage| {
        book().price(model, tier, &usage, now()).map(|cost: NanoUsd| cost.0)
    };
    let used = usage(1_000, 100, 10_000, 1_000, 1_000);
    let standard = 2_000_000 + 1_000_000 + 1_000_000 + 2_500_000 + 4_000_000;
    let sonnet = |tier| cost("claude-sonnet-5-5", tier, used);
    assert_eq!(sonnet(Tier::Standard), Some(standard));
    assert_eq!(sonnet(Tier::Batch), Some(standard / 2));
    assert_eq!(sonnet(Tier::Us), Some(standard / 10 * 11));
    for tier in [Tier::Priority, Tier::Flex, Tier::Unknown, Tier::Total] {
        assert_eq!(sonnet(tier), None, "{tier:?}");
    }
    let sol = |tier| cost("gpt-6-sol", tier, usage(1_000, 100, 0, 0, 0));
    assert_eq!(sol(Tier::Standard), Some(3_000_000));
    assert_eq!((sol(Tier::Flex), sol(Tier::Priority)), (Some(1_500_000), Some(6_000_000)));
    // Bands hold in each tier too.
    let haiku = |prompt| cost("claude-haiku-5-5", Tier::Batch, usage(prompt, 0, 0, 0, 0));
    assert_eq!((haiku(100_000), haiku(100_001)), (Some(5_000_000), Some(25_000_250)));
    assert_eq!(cost("gpt-6-sol", Tier::Priority, usage(272_001, 0, 0, 0, 0)), None);
    assert_eq!(cost("claude-haiku-4-5", Tier::Us, usage(1, 0, 0, 0, 0)), None);
}

#[test]
fn half_price_and_surcharge_stand_in_the_table_to_the_last_digit() {
    let book = book();
    for entry in book.table.entries.values() {
        let tier = |tier| bands(entry, tier, now()).collect::<Vec<_>>();
        let scaled = [(Tier::Us, 11, 10), (Tier::Batch, 1, 2), (Tier::Flex, 1, 2)];
        for (lane, times, over) in scaled.into_iter().chain([(Tier::Priority, 2, 1)]) {
            for (price, plain) in tier(lane).into_iter().zip(tier(Tier::Standard)) {
                let of = |price: &Price| {
                    let cached = [price.read, price.write_5m, price.write_1h];
                    [Some(price.input), Some(price.output)].into_iter().chain(cached)
                };
                let expected = of(plain).map(|pico| pico.map(|pico| pico * times / over));
                assert!(of(price).eq(expected), "{} {lane:?}", entry.name);
                assert_eq!(price.up_to_prompt, plain.up_to_prompt, "{} {lane:?}", entry.name);
            }
        }
    }
}

#[test]
fn a_model_or_class_without_a_price_is_unpriced_and_never_free() {
    assert_eq!(price("claude-next", usage(1, 0, 0, 0, 0)), None);
    assert_eq!(book().worst_case("claude-next", &standard(1, 1), now()), None);
    assert_eq!(price("gpt-6.1-sol", usage(1, 1, 0, 1, 0)), None);
    assert_eq!(price("gpt-6.1-terra", usage(272_001, 1, 0, 0, 0)), None);
    assert_eq!(book().worst_case("gpt-6.1-terra", &standard(272_001, 1), now()), None);
}

#[test]
fn the_worst_case_takes_the_dearest_class_that_the_request_can_be_billed_in() {
    let worst = |bound| book().worst_case("claude-sonnet-5-5", &bound, now());
    let only = &[Tier::Standard];
    let plain = worst(bound(only, false, 1_000, 100));
    assert_eq!(plain, Some(NanoUsd(2_000_000 + 1_000_000)));
    let cached = worst(bound(only, true, 1_000, 100));
    assert_eq!(cached, Some(NanoUsd(2_500_000 + 1_000_000)));
    let here = worst(bound(&[Tier::Standard, Tier::Us], false, 1_000, 100));
    assert_eq!(here, Some(NanoUsd(2_200_000 + 1_100_000)));
    // A tier without a price adds nothing: what is answered in it is unpriced.
    assert_eq!(worst(bound(&[Tier::Standard, Tier::Priority], false, 1_000, 100)), plain);
}

#[test]
fn a_worst_case_knows_the_bands_that_the_prompt_can_fall_in() {
    let worst = |prompt| book().worst_case("claude-haiku-5-5", &standard(prompt, 0), now());
    assert_eq!(worst(100_000), Some(NanoUsd(12_500_000)));
    assert_eq!(worst(100_001), Some(NanoUsd(62_500_625)));
    let text = "[[model]]\nname = 'm'\nvendor = 'other'\nstructured_output = 'format'\n\
                forced_tool = false\nsampling = false\ncache_min_prefix = 0\n\
                prices = [{ up_to_prompt = 10, input = 9, output = 1 }, { input = 1, output = 1 }]";
    let odd = PriceBook::parse(text).unwrap();
    // Ten tokens at nine dollars a million cost more than twenty at one.
    assert_eq!(odd.worst_case("m", &standard(20, 0), now()), Some(NanoUsd(90_000)));
}

#[test]
fn a_price_that_rises_while_the_answer_is_made_is_in_the_worst_case() {
    let text = "[[model]]\nname = 'm'\nvendor = 'other'\nstructured_output = 'format'\n\
                forced_tool = false\nsampling = false\ncache_min_prefix = 0\n\
                prices = [{ input = 1, output = 1 }, { from = 2027-01-01, input = 2, output = 1 }]";
    let book = PriceBook::parse(text).unwrap();
    let worst = |at: &str| book.worst_case("m", &standard(1, 0), at.parse().unwrap());
    assert_eq!(worst("2026-12-31T22:00:00Z"), Some(NanoUsd(1_000)));
    assert_eq!(worst("2026-12-31T23:59:59Z"), Some(NanoUsd(2_000)));
}

#[test]
fn totals_have_prices_by_name() {
    let total = book().total("per_1k_tokens").unwrap();
    assert_eq!((total.of(1_000), total.of(1)), (NanoUsd(3_000_000), NanoUsd(3_000)));
    assert_eq!(book().total("per_word"), None);
    assert_eq!(book().totals().collect::<Vec<_>>(), ["per_1k_tokens"]);
}

/// A request's bound, and the shares of it that a response used: of the prompt, its classes, and of
/// the output.
fn used() -> impl Strategy<Value = (Bound, [u64; 5])> {
    let prompt = prop_oneof![0u64..3_000, 99_990u64..100_010, 271_990u64..272_010, 0u64..900_000];
    let shares = prop::array::uniform5(0u64..=100);
    (prompt, 0u64..128_000, any::<bool>(), shares).prop_map(|(prompt, output, writes, shares)| {
        let tiers = if writes { ALL } else { &[Tier::Standard, Tier::Priority][..] };
        (bound(tiers, writes, prompt, output), shares)
    })
}

/// That much of what the bound allows, in classes that the request can be billed in.
fn within(bound: &Bound, shares: [u64; 5]) -> Usage {
    let [prompt, read, written, dear, output] = shares;
    let mut left = bound.prompt * prompt / 100;
    let mut take = |share: u64| {
        let taken = left * share / 100;
        left -= taken;
        taken
    };
    let cache_read = take(read);
    let cache_write_5m = if bound.terms.writes_cache { take(written.max(dear)) } else { 0 };
    let output = bound.output * output / 100;
    Usage { input: left, output, cache_read, cache_write_5m, cache_write_1h: 0 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_bill_within_the_request_passes_its_worst_case(
        (bound, shares) in used(),
        day in prop::sample::select(vec!["2026-10-06T23:30:00Z", "2026-10-07T00:00:00Z", "2026-11-22T12:00:00Z"]),
        later_minutes in 0i64..60,
    ) {
        let admitted: Timestamp = day.parse().unwrap();
        let answered = admitted + SignedDuration::from_mins(later_minutes);
        for model in book().models() {
            let Some(worst) = book().worst_case(model, &bound, admitted) else { continue };
            let usage = within(&bound, shares);
            for tier in bound.terms.tiers {
                let cost = book().price(model, *tier, &usage, answered);
                prop_assert!(cost.is_none_or(|cost| cost <= worst), "{model} {tier:?} {usage:?}");
            }
        }
    }

    #[test]
    fn what_an_unpriced_request_counts_at_is_the_most_that_any_model_would_cost(
        (bound, _) in used(),
    ) {
        let dearest = book().dearest(&bound, now()).unwrap();
        for model in book().models() {
            let worst = book().worst_case(model, &bound, now());
            prop_assert!(worst.is_none_or(|worst| worst <= dearest), "{model}");
        }
    }
}

#[test]
fn a_part_of_a_nano_dollar_is_rounded_up() {
    assert_eq!(price("claude-haiku-5-5", usage(0, 0, 0, 1, 0)), Some(NanoUsd(125)));
    let text = "[[model]]\nname = 'm'\nvendor = 'other'\nstructured_output = 'format'\n\
                forced_tool = false\nsampling = false\ncache_min_prefix = 0\n\
                prices = [{ input = 0.0001, output = 1 }]";
    let fine = PriceBook::parse(text).unwrap();
    let one = fine.price("m", Tier::Standard, &usage(1, 0, 0, 0, 0), now());
    assert_eq!(one, Some(NanoUsd(1)));
}

#[test]
fn only_a_date_is_taken_off_a_name() {
    assert_eq!(without_date("claude-opus-4-5-20251101"), Some("claude-opus-4-5"));
    assert_eq!(without_date("gpt-6-sol-2026-09-22"), Some("gpt-6-sol"));
    assert_eq!(without_date("claude-opus-4-5"), None);
    assert_eq!(without_date("-20251101"), None);
}
