//! What it costs, for scripts: how far each budget is, and the ledger's rows.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::ids::EventId;
use crate::monitor::budgets;
use crate::monitor::ledger::{LISTED, LedgerListing, MOST_LISTED, read_state};
use crate::store::LedgerQuery;

use super::Shown;
use super::refusal::{Refusal, away, bad_request};

/// An answer, or what stands in its way.
type Answer = Result<Json<Value>, Refusal>;

/// `GET /api/budgets`
pub(super) async fn api_budgets(State(shown): State<Shown>) -> Answer {
    let store = shown.state.store().ok_or_else(away)?;
    let listed = budgets::overview(store.as_ref(), &shown.state.budgets).await;
    Ok(Json(json!({ "budgets": listed.map_err(|_| away())? })))
}

/// Which rows a request asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    state: Option<String>,
    event: Option<String>,
    debt: Option<String>,
    limit: Option<String>,
}

/// `GET /api/ledger?state=&event=&debt=&limit=`
pub(super) async fn api_ledger(
    State(shown): State<Shown>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Answer {
    let asked = asked.map_err(|bad| bad.body_text());
    let query = asked.and_then(|Query(asked)| read(&asked));
    let query = query.map_err(|why| bad_request(&why))?;
    let store = shown.state.store().ok_or_else(away)?;
    let rows = store.ledger(&query).await.map_err(|_| away())?;
    let listed: Vec<LedgerListing> = rows.into_iter().map(Into::into).collect();
    Ok(Json(json!({ "ledger": listed })))
}

/// The query; what is empty is not asked for.
fn read(asked: &Asked) -> Result<LedgerQuery, String> {
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let state = said(&asked.state).map(|text| read_state(&text)).transpose();
    let event = said(&asked.event).map(|text| EventId::parse(&text)).transpose();
    let limit = said(&asked.limit).map_or(Ok(LISTED), |text| text.parse());
    let limit = limit.ok().filter(|limit| (1..=MOST_LISTED).contains(limit));
    let debt = said(&asked.debt).map_or(Ok(false), |text| text.parse());
    Ok(LedgerQuery {
        state: state.map_err(|bad| bad.to_string())?,
        event: event.map_err(|bad| bad.to_string())?,
        debt: debt.map_err(|_| "debt is true or false".to_owned())?,
        limit: limit.ok_or_else(|| format!("limit is 1 to {MOST_LISTED}"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::LedgerState;

    fn asked(state: &str, event: &str, limit: &str) -> Asked {
        let [state, event, limit] = [state, event, limit].map(|it| Some(it.to_owned()));
        Asked { state, event, debt: None, limit }
    }

    #[test]
    fn a_query_says_state_event_and_limit_or_nothing() {
        let all = read(&Asked::default()).unwrap();
        assert_eq!(all, LedgerQuery { limit: LISTED, ..LedgerQuery::default() });
        assert_eq!(read(&asked("", "", "")).unwrap(), all);
        let some = read(&asked("ambiguous", "wed", "3")).unwrap();
        assert_eq!((some.state, some.limit), (Some(LedgerState::Ambiguous), 3));
        assert_eq!(some.event, EventId::parse("wed").ok());
    }

    #[test]
    fn an_unknown_state_lists_them_all() {
        let said = read(&asked("paid", "", "")).unwrap_err();
        assert!(LedgerState::ALL.iter().all(|state| said.contains(state.name())), "{said}");
        assert!(read(&asked("", "two words", "")).is_err());
        assert!(read(&asked("", "", "0")).is_err() && read(&asked("", "", "many")).is_err());
        assert!(read(&Asked { debt: Some("perhaps".to_owned()), ..Asked::default() }).is_err());
    }
}
