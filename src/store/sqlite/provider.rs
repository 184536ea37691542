//! The provider's own limits, as its responses tell them to any worker of this file.
//!
//! An account has a row that is only ever paused, and a row for each model. A limit
//! whose reset has passed is whole again, so a need above the whole of it waits no longer.

use std::time::Duration;

use super::codec::Reader;
use super::{Done, Micros, Write, micros};
use crate::store::{Left, ProviderNeeds, ProviderWord};

statements! {
    ROWS = "select key, paused_until, requests_left, requests_reset, input_left, input_reset,
            output_left, output_reset
        from providers where key in (?1, ?2)";
    TAKE = "update providers set
            requests_left = case when requests_reset > ?4 then max(requests_left - 1, 0)
                else requests_left end,
            input_left = case when input_reset > ?4 then max(input_left - ?2, 0) else input_left end,
            output_left = case when output_reset > ?4 then max(output_left - ?3, 0) else output_left end
        where key = ?1";
    PAUSE = "insert into providers (key, paused_until) values (?1, ?2)
        on conflict (key) do update set paused_until = max(coalesce(paused_until, ?2), ?2)";
    TOLD = "insert into providers (key, paused_until, requests_left, requests_reset, input_left,
            input_reset, output_left, output_reset)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        on conflict (key) do update set
            paused_until = max(coalesce(paused_until, ?2), coalesce(?2, paused_until)),
            requests_left = coalesce(?3, requests_left), requests_reset = coalesce(?4, requests_reset),
            input_left = coalesce(?5, input_left), input_reset = coalesce(?6, input_reset),
            output_left = coalesce(?7, output_left), output_reset = coalesce(?8, output_reset)";
}

/// What is left of one of a model's limits, and until when that holds.
type Limit = (Option<i64>, Option<Micros>);

/// What a provider said of an account or a model.
#[derive(Debug, Default)]
pub(super) struct Provider {
    paused_until: Option<Micros>,
    requests: Limit,
    input: Limit,
    output: Limit,
}

/// What is known of the account and the model that a request needs.
pub(super) async fn load(tx: &mut Write, needs: &ProviderNeeds) -> Done<Vec<Provider>> {
    let query =
        sqlx::query(ROWS).bind(&needs.account).bind(model_key(&needs.account, &needs.model));
    let rows = query.fetch_all(&mut **tx).await?;
    rows.iter()
        .map(|row| {
            let reader = Reader::new("providers", row);
            Ok(Provider {
                paused_until: reader.get("paused_until")?,
                requests: (reader.get("requests_left")?, reader.get("requests_reset")?),
                input: (reader.get("input_left")?, reader.get("input_reset")?),
                output: (reader.get("output_left")?, reader.get("output_reset")?),
            })
        })
        .collect()
}

/// Until when nothing of the kind may be sent; `None` when it may now.
pub(super) fn paused_until(
    known: &[Provider],
    needs: &ProviderNeeds,
    now: Micros,
) -> Option<Micros> {
    let short = |(left, reset): Limit, need: i64| left.filter(|left| *left < need).and(reset);
    let holds = |one: &Provider| {
        [
            one.paused_until,
            short(one.requests, 1),
            short(one.input, tokens(needs.input)),
            short(one.output, tokens(needs.output)),
        ]
    };
    known.iter().flat_map(holds).flatten().filter(|until| *until > now).max()
}

/// Takes a request off what is left.
pub(super) async fn take(tx: &mut Write, needs: &ProviderNeeds, now: Micros) -> Done<()> {
    sqlx::query(TAKE)
        .bind(model_key(&needs.account, &needs.model))
        .bind(tokens(needs.input))
        .bind(tokens(needs.output))
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes what a provider said.
pub(super) async fn note(tx: &mut Write, word: &ProviderWord, now: Micros) -> Done<()> {
    let until = |pause: Duration| now.saturating_add(micros(pause));
    if let Some(pause) = word.account_pause {
        sqlx::query(PAUSE).bind(&word.account).bind(until(pause)).execute(&mut **tx).await?;
    }
    let left = [word.requests, word.input, word.output];
    if word.model_pause.is_none() && left.iter().all(Option::is_none) {
        return Ok(());
    }
    let mut query = sqlx::query(TOLD)
        .bind(model_key(&word.account, &word.model))
        .bind(word.model_pause.map(until));
    for left in left {
        let left = left.map(|Left { remaining, reset }| (tokens(remaining), until(reset)));
        query = query.bind(left.map(|(left, _)| left)).bind(left.map(|(_, reset)| reset));
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

fn model_key(account: &str, model: &str) -> String {
    format!("{account}/{model}")
}

fn tokens(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(input: u64) -> ProviderNeeds {
        ProviderNeeds { account: "a".into(), model: "m".into(), input, output: 10 }
    }

    #[test]
    fn what_is_left_binds_until_its_reset() {
        let model = Provider { input: (Some(99), Some(500)), ..Provider::default() };
        assert_eq!(paused_until(&[model], &needs(99), 400), None);
        let model = Provider { input: (Some(99), Some(500)), ..Provider::default() };
        assert_eq!(paused_until(&[model], &needs(100), 400), Some(500));
        let model = Provider { input: (Some(99), Some(500)), ..Provider::default() };
        assert_eq!(paused_until(&[model], &needs(100), 500), None, "it is whole again");
    }

    #[test]
    fn the_longest_of_all_pauses_is_told() {
        let account = Provider { paused_until: Some(700), ..Provider::default() };
        let model = Provider {
            paused_until: Some(300),
            requests: (Some(0), Some(600)),
            output: (Some(9), Some(800)),
            ..Provider::default()
        };
        assert_eq!(paused_until(&[account, model], &needs(1), 400), Some(800));
        assert_eq!(paused_until(&[], &needs(1), 400), None);
    }
}
