//! Admission: all scopes are judged in one write transaction; all pass, or nothing changes but a line.
//!
//! A scope is one row that holds all that decides, so nothing is counted from
//! other rows, and the write lock makes the judgement and the change one.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::lines::{self, Asker, Standing};
use super::places::Places;
use super::provider;
use super::room::{Ahead, Room, Verdict};
use super::scopes::{self, Admitted, Asked, Form, Scope};
use super::{Done, Micros, SqliteStore, Write, between, ledger, micros};
use crate::domain::ids::Held;
use crate::domain::usage::NanoUsd;
use crate::settings::BudgetKind;
use crate::store::{Admission, AdmissionRequest, BudgetScope, RateScope, StoreError, Window};

/// After how long whoever found a budget busy asks again by itself; it is called sooner.
const BUSY_PAUSE: Duration = Duration::from_secs(5);
/// How soon the line of a busy budget is looked at.
const BUSY_LOOK: Micros = 250_000;

statements! {
    FENCE = "select 1 from queue_items where id = ?1 and lease = ?2 and status = 'processing'";
}

/// A request with the rows that it is judged by.
struct Asking<'a> {
    request: &'a AdmissionRequest,
    asker: Asker<'a>,
    standing: Option<Standing>,
    now: Micros,
    rates: Vec<Rated<'a>>,
    budgets: Vec<Budgeted<'a>>,
}

/// A rate, its row and what that is to be, and its places.
struct Rated<'a> {
    rate: &'a RateScope,
    scope: Scope,
    form: Form,
    places: Places,
}

/// A budget, the row of its window that runs now and what that is to be, and the window after it.
struct Budgeted<'a> {
    budget: &'a BudgetScope,
    scope: Scope,
    form: Form,
    next: Option<Form>,
}

/// Why a request is not admitted.
enum Refusal<'a> {
    /// The window is spent, and its messages wait until it ends.
    Spent(&'a Budgeted<'a>, Micros),
    /// The window is spent, and its messages do not wait.
    Over(&'a Budgeted<'a>),
    /// The provider takes nothing until then.
    Paused(Micros),
    /// What is left of the window is held by others.
    Busy(&'a Budgeted<'a>),
    /// No place is free before then.
    Limited(&'a Rated<'a>, Micros),
}

impl SqliteStore {
    pub(super) async fn admit_request(
        &self,
        held: &Held,
        request: &AdmissionRequest,
    ) -> Done<Admission> {
        let (mut tx, now) = self.write().await?;
        let fence = sqlx::query(FENCE).bind(held.item.as_str()).bind(held.lease.0);
        if fence.fetch_optional(&mut *tx).await?.is_none() {
            return Ok(Admission::Lost);
        }
        let asking = Asking::load(&mut tx, held, request, now).await?;
        let Some(refusal) = asking.judge(&mut tx).await? else {
            let ledger = asking.take(&mut tx, held).await?;
            tx.commit().await?;
            return Ok(Admission::Admitted { ledger });
        };
        asking.refuse(&mut tx, &refusal).await?;
        tx.commit().await?;
        Ok(refusal.told(now))
    }
}

impl<'a> Asking<'a> {
    async fn load(
        tx: &mut Write,
        held: &'a Held,
        request: &'a AdmissionRequest,
        now: Micros,
    ) -> Done<Self> {
        let running = request.budgets.iter().map(|budget| running(budget, now));
        let running = running.collect::<Done<Vec<_>>>()?;
        let rates = request.rates.iter().map(|rate| Asked { key: &rate.key, name: None });
        let windows = request.budgets.iter().zip(&running).map(|(budget, nth)| Asked {
            key: &budget.windows[*nth].key,
            name: Some(&budget.name),
        });
        let asked: Vec<_> = rates.chain(windows).collect();
        let mut rows = scopes::load(tx, &asked).await?.into_iter();
        let rates = request.rates.iter().zip(rows.by_ref());
        let rates = rates.map(|(rate, (scope, _))| Rated::new(rate, scope, now)).collect();
        let budgets = request.budgets.iter().zip(running).zip(rows);
        let budgets = budgets.map(|((budget, nth), (scope, set))| {
            let most = set.unwrap_or(budget.limit.map(|limit| limit.0));
            Budgeted::new(budget, nth, scope, most)
        });
        let asker = Asker {
            item: held.item.as_str(),
            event: request.event.as_str(),
            sent_at: request.sent_at.as_microsecond(),
            worst: request.worst_case.0,
        };
        let budgets = budgets.collect();
        let standing = lines::standing(tx, asker.item, now).await?;
        Ok(Self { request, asker, standing, now, rates, budgets })
    }

    async fn ahead_in(&self, tx: &mut Write, scope: &Scope) -> Done<Ahead> {
        lines::ahead(tx, scope, &self.asker, self.standing.as_ref(), self.now).await
    }

    /// The first refusal, in the order in which they are worth telling: what no pause mends, what
    /// holds for everybody, and what comes back soonest.
    async fn judge(&self, tx: &mut Write) -> Done<Option<Refusal<'_>>> {
        let mut busy = None;
        for budget in &self.budgets {
            let ahead = self.ahead_in(tx, &budget.scope).await?;
            match budget.verdict(self.request, ahead) {
                Verdict::Free => {}
                Verdict::Busy => busy = busy.or(Some(Refusal::Busy(budget))),
                Verdict::Spent => return Ok(Some(budget.spent())),
            }
        }
        if let Some(needs) = &self.request.provider {
            let known = provider::load(tx, needs).await?;
            if let Some(until) = provider::paused_until(&known, needs, self.now) {
                return Ok(Some(Refusal::Paused(until)));
            }
        }
        if busy.is_some() {
            return Ok(busy);
        }
        let mut latest: Option<(&Rated<'_>, Micros)> = None;
        for rate in &self.rates {
            let ahead = self.ahead_in(tx, &rate.scope).await?;
            if let Some(turn) = rate.places.turn(ahead.count)
                && latest.is_none_or(|(_, latest)| turn > latest)
            {
                latest = Some((rate, turn));
            }
        }
        Ok(latest.map(|(rate, turn)| Refusal::Limited(rate, turn)))
    }

    /// Takes what was asked for, and leaves the line.
    async fn take(&self, tx: &mut Write, held: &Held) -> Done<Uuid> {
        let mut at = self.now;
        // So that a place is one row's alone.
        while self.rates.iter().any(|rate| rate.places.has(at)) {
            at += 1;
        }
        let rates = self.rates.iter().map(|rate| {
            let instants = Some(rate.places.take(at));
            Admitted { form: &rate.form, reserved: 0, instants }
        });
        let reserved = self.request.worst_case.0;
        let budgets = self.budgets.iter();
        let budgets = budgets.map(|b| Admitted { form: &b.form, reserved, instants: None });
        let admitted: Vec<_> = rates.chain(budgets).collect();
        if !admitted.is_empty() {
            scopes::write(tx, &admitted).await?;
        }
        if let Some(needs) = &self.request.provider {
            provider::take(tx, needs, self.now).await?;
        }
        if self.standing.is_some() {
            lines::leave(tx, self.asker.item, self.now).await?;
        }
        let windows: Vec<_> = self.budgets.iter().map(|b| b.form.key.as_str()).collect();
        ledger::reserve(tx, held, self.request, &windows, at).await
    }

    /// Has a message that queues take its place in the line of what refused it; where there is
    /// none, it waits in no other either.
    async fn refuse(&self, tx: &mut Write, refusal: &Refusal<'_>) -> Done<()> {
        // Whoever waits for a place is called when all rates have one for it.
        let rates: Vec<_> = self.rates.iter().map(|rate| rate.form.key.as_str()).collect();
        let line = match refusal {
            Refusal::Spent(budget, ends_at) => {
                budget.next.as_ref().map(|next| (next, *ends_at, &[][..]))
            }
            Refusal::Busy(budget) => Some((&budget.form, self.now + BUSY_LOOK, &[][..])),
            Refusal::Limited(rate, _) => Some((&rate.form, rate.places.next(), &rates[..])),
            Refusal::Over(_) | Refusal::Paused(_) => None,
        };
        let line = line.filter(|_| self.request.queues);
        let standing = self.standing.as_ref();
        let mut forms: Vec<_> = self.outdated().collect();
        forms.extend(line.map(|(form, ..)| form));
        if !forms.is_empty() {
            scopes::describe(tx, &forms).await?;
        }
        let Some((form, opens_at, rates)) = line else {
            if self.request.queues && standing.is_some() {
                lines::leave(tx, self.asker.item, self.now).await?;
            }
            return Ok(());
        };
        let worst = match refusal {
            // It is called by what it is judged by.
            Refusal::Spent(budget, _) if budget.form.share.is_none() => self.request.expected.0,
            Refusal::Spent(..)
            | Refusal::Over(_)
            | Refusal::Paused(_)
            | Refusal::Busy(_)
            | Refusal::Limited(..) => self.asker.worst,
        };
        let asker = Asker { worst, ..self.asker };
        lines::join(tx, &form.key, &asker, standing, rates, opens_at, self.now).await
    }

    /// What scopes are to be whose rows say something else: lines are called by what they say.
    fn outdated(&self) -> impl Iterator<Item = &Form> {
        let rates = self.rates.iter().map(|rate| (&rate.scope, &rate.form));
        let budgets = self.budgets.iter().map(|budget| (&budget.scope, &budget.form));
        let all = rates.chain(budgets);
        all.filter(|(scope, form)| scope.is_there && scope.form != **form).map(|(_, form)| form)
    }
}

impl<'a> Rated<'a> {
    fn new(rate: &'a RateScope, scope: Scope, now: Micros) -> Self {
        let span = micros(rate.window).saturating_add(micros(rate.send_within));
        let places = Places::at(now, scope.instants.clone(), rate.limit, span);
        let form = Form {
            key: rate.key.clone(),
            name: None,
            starts_at: None,
            ends_at: None,
            most: Some(i64::from(rate.limit)),
            share: None,
            span: Some(span),
        };
        Self { rate, scope, form, places }
    }
}

impl<'a> Budgeted<'a> {
    fn new(budget: &'a BudgetScope, nth: usize, scope: Scope, most: Option<i64>) -> Self {
        let share = match budget.kind {
            BudgetKind::Hard => Some(budget.in_flight_share),
            BudgetKind::Soft => None,
        };
        let form = |window: &Window| Form {
            key: window.key.clone(),
            name: Some(budget.name.clone()),
            starts_at: window.starts_at.map(Timestamp::as_microsecond),
            ends_at: window.ends_at.map(Timestamp::as_microsecond),
            most,
            share,
            span: None,
        };
        let next = budget.windows.get(nth + 1).map(form);
        Self { budget, scope, form: form(&budget.windows[nth]), next }
    }

    fn room(&self) -> Room {
        let Form { most, share, .. } = self.form;
        Room { limit: most, share, reserved: self.scope.reserved, spent: self.scope.spent }
    }

    fn verdict(&self, request: &AdmissionRequest, ahead: Ahead) -> Verdict {
        self.room().judge(request.worst_case.0, request.expected.0, ahead)
    }

    fn spent(&self) -> Refusal<'_> {
        match self.form.ends_at {
            Some(ends_at) if self.budget.waits => Refusal::Spent(self, ends_at),
            Some(_) | None => Refusal::Over(self),
        }
    }
}

impl Refusal<'_> {
    fn told(&self, now: Micros) -> Admission {
        match self {
            Self::Spent(budget, ends_at) => Admission::BudgetSpent {
                scope: budget.form.key.clone(),
                after: between(now, *ends_at),
            },
            Self::Over(budget) => Admission::OverBudget {
                budget: budget.budget.name.clone(),
                room: NanoUsd(budget.room().left()),
            },
            Self::Paused(until) => Admission::ProviderPaused { after: between(now, *until) },
            Self::Busy(budget) => {
                Admission::BudgetBusy { scope: budget.form.key.clone(), after: BUSY_PAUSE }
            }
            Self::Limited(rate, turn) => {
                Admission::RateLimited { scope: rate.rate.key.clone(), after: between(now, *turn) }
            }
        }
    }
}

/// Which of a budget's windows runs now.
fn running(budget: &BudgetScope, now: Micros) -> Done<usize> {
    let has_begun = |at: Option<Timestamp>| at.is_none_or(|at| at.as_microsecond() <= now);
    let runs =
        |w: &Window| has_begun(w.starts_at) && (w.ends_at.is_none() || !has_begun(w.ends_at));
    budget.windows.iter().position(runs).ok_or_else(|| {
        let why = format!("no window of {} holds this instant: the clocks differ", budget.name);
        StoreError::Refused(sqlx::Error::Protocol(why)).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: Micros) -> Option<Timestamp> {
        Some(Timestamp::from_microsecond(micros).unwrap())
    }

    #[test]
    fn the_window_that_holds_the_instant_runs() {
        let window = |starts_at, ends_at| Window { key: "w".to_owned(), starts_at, ends_at };
        let budget = BudgetScope {
            name: "budget:day".to_owned(),
            limit: None,
            kind: BudgetKind::Hard,
            in_flight_share: 1.0,
            waits: true,
            windows: vec![window(at(100), at(200)), window(at(200), at(300))],
        };
        let found = |now| running(&budget, now).ok();
        assert_eq!([100, 199, 200, 299].map(found), [Some(0), Some(0), Some(1), Some(1)]);
        assert_eq!([99, 300].map(found), [None, None]);
        let life = BudgetScope { windows: vec![window(None, None)], ..budget };
        assert_eq!(running(&life, 0).ok(), Some(0));
    }
}
