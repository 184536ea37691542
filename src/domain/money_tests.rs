//! What splits and transfers promise, for any amount and any people.

use proptest::prelude::*;

use super::*;

fn people(count: usize) -> Vec<PersonId> {
    (0..count).map(|i| PersonId(format!("p{i}"))).collect()
}

/// Any amount, the extremes among them.
fn any_minor() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => -1_000_000i64..1_000_000,
        1 => any::<i64>(),
        1 => prop::sample::select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX]),
    ]
}

/// People as they are named, some of them twice, with their parts.
fn any_parts() -> impl Strategy<Value = Vec<(PersonId, u32)>> {
    let parts = prop_oneof![4 => 0u32..6, 1 => any::<u32>(), 1 => Just(u32::MAX)];
    let one = (0usize..8, parts).prop_map(|(who, parts)| (PersonId(format!("p{who}")), parts));
    prop::collection::vec(one, 0..12)
}

/// Balances that sum to zero, with many that cancel out among a few.
fn any_balances(most: usize) -> impl Strategy<Value = Vec<(PersonId, i64)>> {
    let minor = prop_oneof![2 => -6i64..6, 1 => -5_000i64..5_000];
    prop::collection::vec(minor, 1..most).prop_map(|mut minors| {
        minors.push(-minors.iter().sum::<i64>());
        people(minors.len()).into_iter().zip(minors).collect()
    })
}

fn sum(shares: &[Share]) -> i128 {
    shares.iter().map(|share| i128::from(share.minor)).sum()
}

/// The fewest transfers, by trying every way to bring the first open balance to zero at once.
fn fewest(open: &[i64]) -> usize {
    let Some(first) = open.iter().position(|minor| *minor != 0) else { return 0 };
    let rest = &open[first + 1..];
    let ways = (0..rest.len()).filter(|other| rest[*other].signum() == -open[first].signum());
    let tried = ways.map(|other| {
        let mut left = rest.to_vec();
        left[other] += open[first];
        1 + fewest(&left)
    });
    tried.min().unwrap_or(0)
}

proptest! {
    #[test]
    fn equal_shares_sum_to_the_amount_and_differ_by_one_unit_at_most(minor in any_minor(), count in 1usize..20) {
        let shares = split_equally(minor, &people(count));
        prop_assert_eq!(shares.len(), count);
        prop_assert_eq!(sum(&shares), i128::from(minor));
        prop_assert!(shares.windows(2).all(|pair| (0..=1).contains(&(pair[0].minor - pair[1].minor))));
        prop_assert!(shares[0].minor - shares[count - 1].minor <= 1);
    }

    #[test]
    fn shares_by_parts_sum_to_the_amount_and_stay_within_a_unit_of_their_part(minor in any_minor(), parts in any_parts()) {
        let shares = split_by_parts(minor, &parts);
        let first = |who: &PersonId| parts.iter().find(|(it, _)| it == who).map(|(_, parts)| i128::from(*parts));
        let mut named: Vec<&PersonId> = parts.iter().map(|(who, _)| who).collect();
        named.sort();
        named.dedup();
        let all: i128 = named.iter().filter_map(|who| first(who)).sum();
        if all == 0 {
            prop_assert!(shares.is_empty());
            return Ok(());
        }
        prop_assert_eq!(sum(&shares), i128::from(minor));
        for share in &shares {
            let own = first(&share.person).unwrap();
            prop_assert!(own > 0);
            prop_assert!((i128::from(share.minor) * all - i128::from(minor) * own).abs() < all);
            prop_assert_eq!(shares.iter().filter(|it| it.person == share.person).count(), 1);
        }
    }

    #[test]
    fn equal_parts_are_equal_shares(minor in any_minor(), count in 1usize..12, parts in 1u32..9) {
        let by_parts: Vec<_> = people(count).into_iter().map(|who| (who, parts)).collect();
        prop_assert_eq!(split_by_parts(minor, &by_parts), split_equally(minor, &people(count)));
    }

    #[test]
    fn transfers_bring_every_balance_to_zero_and_nobody_pays_and_is_paid(balances in any_balances(16)) {
        let mut left = balances.clone();
        let moves = transfers(&balances);
        let open = balances.iter().filter(|(_, minor)| *minor != 0).count();
        prop_assert!(moves.len() < open.max(1));
        for transfer in &moves {
            prop_assert!(transfer.minor > 0);
            prop_assert!(moves.iter().all(|other| other.to != transfer.from));
            let pair = |other: &&Transfer| other.from == transfer.from && other.to == transfer.to;
            prop_assert_eq!(moves.iter().filter(pair).count(), 1);
            for (person, minor) in &mut left {
                if *person == transfer.from { *minor += transfer.minor; }
                if *person == transfer.to { *minor -= transfer.minor; }
            }
        }
        prop_assert!(left.iter().all(|(_, minor)| *minor == 0));
    }

    #[test]
    fn up_to_eight_people_need_no_fewer_transfers(balances in any_balances(8)) {
        let minors: Vec<i64> = balances.iter().map(|(_, minor)| *minor).collect();
        prop_assert_eq!(transfers(&balances).len(), fewest(&minors), "{:?}", minors);
    }

    #[test]
    fn transfers_of_extremes_overflow_nothing(minors in prop::collection::vec(any_minor(), 0..16), names in 1usize..6) {
        let people = people(names);
        let balances: Vec<_> =
            minors.iter().enumerate().map(|(at, minor)| (people[at % names].clone(), *minor)).collect();
        for transfer in transfers(&balances) {
            prop_assert!(transfer.minor > 0 && transfer.from != transfer.to);
        }
    }
}

#[test]
fn two_pairs_that_settle_among_themselves_need_two_transfers() {
    let balances: Vec<_> = people(4).into_iter().zip([700, 300, -300, -700]).collect();
    assert_eq!(transfers(&balances).len(), 2);
}

#[test]
fn somebody_who_is_listed_twice_pays_nobody_and_themselves_least() {
    let [ana, ben] = ["Ana", "Ben"].map(|name| PersonId(name.into()));
    let listed = [(ana.clone(), 500), (ana.clone(), -500)];
    assert_eq!(transfers(&listed), []);
    let listed = [(ana.clone(), 700), (ben.clone(), -300), (ana.clone(), -400)];
    assert_eq!(transfers(&listed), [Transfer { from: ben, to: ana, minor: 300 }]);
}

#[test]
fn what_is_left_over_goes_to_the_largest_remainders_and_then_to_the_first() {
    let parts =
        |parts: &[u32]| people(parts.len()).into_iter().zip(parts.to_vec()).collect::<Vec<_>>();
    let split = |minor: i64, of: &[u32]| -> Vec<i64> {
        split_by_parts(minor, &parts(of)).iter().map(|share| share.minor).collect()
    };
    assert_eq!(split(100, &[1, 1, 1]), [34, 33, 33]);
    assert_eq!(split(100, &[2, 2, 3]), [29, 28, 43]);
    assert_eq!(split(10, &[1, 5]), [2, 8]);
    assert_eq!(split(-100, &[1, 1, 1]), [-33, -33, -34]);
    assert_eq!(split(100, &[0, 3, 0]), [100]);
    assert_eq!(split(100, &[0, 0]), [] as [i64; 0]);
    assert_eq!(split(i64::MAX, &[u32::MAX, u32::MAX]), [(1 << 62), (1 << 62) - 1]);
}

#[test]
fn who_is_named_twice_bears_one_share() {
    let [ana, ben] = ["Ana", "Ben"].map(|name| PersonId(name.into()));
    let shares = split_equally(1_000, &[ana.clone(), ben.clone(), ana.clone()]);
    assert_eq!(
        shares,
        [Share { person: ana.clone(), minor: 500 }, Share { person: ben.clone(), minor: 500 }]
    );
    let shares = split_by_parts(900, &[(ben.clone(), 2), (ana.clone(), 1), (ben.clone(), 9)]);
    assert_eq!(shares, [Share { person: ben, minor: 600 }, Share { person: ana, minor: 300 }]);
}

#[test]
fn amounts_are_written_in_the_currencys_own_decimals() {
    let gbp = Currency::parse("gbp").unwrap();
    assert_eq!((gbp.minor(1_234.5), gbp.format(123_450).as_str()), (123_450, "1,234.50"));
    assert_eq!(Currency::parse("JPY").unwrap().format(-1_200), "-1,200");
    assert_eq!(Currency::parse("KWD").unwrap().minor(1.234), 1_234);
    assert!(Currency::parse("£").is_none());
}
