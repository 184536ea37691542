//! Tasks: how they stand, who is on them, and by when they are due.

use jiff::civil::Date;

use super::{Found, Records, day};
use crate::agents::records::query::{PaymentAsk, TaskAsk};
use crate::domain::ids::PersonId;
use crate::domain::projection::{TaskRow, TaskStatus};

/// How many tasks are listed by name at most.
const MOST_LISTED: usize = 20;

impl Records<'_> {
    pub(super) fn task(&self, thing: &str, asks: TaskAsk) -> Option<Found> {
        let tasks = self.matter(thing).tasks(self.rows);
        if tasks.is_empty() {
            return self.seen_in_expenses(thing, asks);
        }
        let lead = match asks {
            TaskAsk::Status | TaskAsk::Who => "",
            TaskAsk::Done => is_done(&tasks),
            TaskAsk::Taken if tasks.iter().any(|task| has_somebody(task)) => "Yes: ",
            TaskAsk::Taken => "No: ",
        };
        let each: Vec<String> = tasks.iter().take(MOST_LISTED).map(|task| told(task)).collect();
        Some(Found::new(format!("{lead}{}.", each.join("; ")), task_ids(&tasks)))
    }

    /// What was never put down as a task may still have been paid for.
    fn seen_in_expenses(&self, thing: &str, asks: TaskAsk) -> Option<Found> {
        let found = self.payment(thing, PaymentAsk::Who)?;
        let lead = match asks {
            TaskAsk::Status => "",
            TaskAsk::Done | TaskAsk::Who | TaskAsk::Taken => "There is no task for it, but ",
        };
        Some(Found::new(format!("{lead}{}", found.text), found.sources))
    }

    pub(super) fn is_on(&self, thing: &str, person: &PersonId) -> Option<Found> {
        let tasks = self.matter(thing).tasks(self.rows);
        let name = self.event.name_of(person);
        let own: Vec<&TaskRow> = tasks.iter().copied().filter(|it| is_on(it, name)).collect();
        let still: Vec<&TaskRow> =
            own.iter().copied().filter(|it| it.status == TaskStatus::Open).collect();
        let (lead, told_of) = match (still.is_empty(), own.is_empty(), tasks.is_empty()) {
            (_, _, true) => return None,
            (false, _, _) => ("Yes: ", still),
            (true, false, _) => ("No: ", own),
            (true, true, false) => ("No: ", tasks),
        };
        let each: Vec<String> = told_of.iter().map(|task| told(task)).collect();
        Some(Found::new(format!("{lead}{}.", each.join("; ")), task_ids(&told_of)))
    }

    fn open(&self) -> impl Iterator<Item = &TaskRow> {
        self.rows.tasks.iter().filter(|task| task.status == TaskStatus::Open)
    }

    pub(super) fn open_tasks(&self) -> Found {
        self.list("Still to do", "Nothing is left to do.", |_| true)
    }

    pub(super) fn tasks_of(&self, person: &PersonId) -> Found {
        let name = self.event.name_of(person);
        let nothing = format!("Nothing open is on {name}.");
        self.list(&format!("Open for {name}"), &nothing, |task| is_on(task, name))
    }

    pub(super) fn overdue(&self) -> Found {
        let late = |task: &TaskRow| task.due.is_some_and(|due| due < self.today);
        self.list("Overdue", "Nothing is overdue.", late)
    }

    pub(super) fn unassigned(&self) -> Found {
        self.list("Nobody is on", "Somebody is on everything.", |task| !has_somebody(task))
    }

    /// What has no day yet may be wanted by then as well.
    pub(super) fn due_until(&self, until: Date) -> Found {
        let (title, nothing) = (
            format!("To do until {}", day(until)),
            format!("Nothing is due until {}.", day(until)),
        );
        self.list(&title, &nothing, |task| task.due.is_none_or(|due| due <= until))
    }

    /// The open tasks that are wanted, or a sentence that there is none.
    fn list(&self, title: &str, nothing: &str, wanted: impl Fn(&TaskRow) -> bool) -> Found {
        let tasks: Vec<&TaskRow> = self.open().filter(|task| wanted(task)).collect();
        if tasks.is_empty() {
            return Found::new(nothing, Vec::new());
        }
        let line = |task: &&TaskRow| {
            let who = task.assignee.as_deref().filter(|_| has_somebody(task));
            format!("{} ({}{})", task.title, who.unwrap_or("nobody yet"), due(task))
        };
        Found::new(format!("{title}: {}.", listed(&tasks, line)), task_ids(&tasks))
    }

    pub(super) fn done_tasks(&self) -> Found {
        let done = self.rows.tasks.iter().filter(|task| task.status == TaskStatus::Done);
        let tasks: Vec<&TaskRow> = done.collect();
        if tasks.is_empty() {
            return Found::new("Nothing is done yet.", Vec::new());
        }
        let said = listed(&tasks, |task| task.title.clone());
        Found::new(format!("Done: {said}."), task_ids(&tasks))
    }

    pub(super) fn task_counts(&self) -> Found {
        let count = |status| self.rows.tasks.iter().filter(|it| it.status == status).count();
        let (open, done) = (count(TaskStatus::Open), count(TaskStatus::Done));
        let counted: Vec<&TaskRow> =
            self.rows.tasks.iter().filter(|it| it.status != TaskStatus::Cancelled).collect();
        Found::new(format!("{open} open, {done} done."), task_ids(&counted))
    }

    /// Tasks that are open, and money that is due.
    pub(super) fn left_over(&self) -> Found {
        let (tasks, money) = (self.open_tasks(), self.outstanding());
        let sources = tasks.sources.iter().chain(&money.sources).copied().collect();
        Found::new(format!("{} {}", tasks.text, money.text), sources)
    }

    /// By when a thing is to be done or paid.
    pub(super) fn due(&self, thing: &str) -> Option<Found> {
        let matter = self.matter(thing);
        let tasks = matter.tasks(self.rows);
        let dated: Vec<&TaskRow> = tasks.into_iter().filter(|task| task.due.is_some()).collect();
        let is_payment = matter.is_payment() && !matter.expenses(self.rows).is_empty();
        if !dated.is_empty() && !is_payment {
            let each: Vec<String> = dated.iter().map(|task| told(task)).collect();
            return Some(Found::new(format!("{}.", each.join("; ")), task_ids(&dated)));
        }
        let found = self.payment(thing, PaymentAsk::Who)?;
        Some(Found::new(
            format!("{}; I don't know by when.", found.text.trim_end_matches('.')),
            found.sources,
        ))
    }

    /// The open tasks with the next day from today on.
    pub(super) fn next_due(&self) -> Option<Found> {
        let ahead = |task: &&TaskRow| task.due.is_some_and(|due| due >= self.today);
        let next = self.open().filter(ahead).filter_map(|task| task.due).min()?;
        let tasks: Vec<&TaskRow> = self.open().filter(|task| task.due == Some(next)).collect();
        let each: Vec<String> = tasks.iter().map(|task| told(task)).collect();
        Some(Found::new(format!("Next: {}.", each.join("; ")), task_ids(&tasks)))
    }
}

fn task_ids(tasks: &[&TaskRow]) -> Vec<uuid::Uuid> {
    tasks.iter().map(|task| task.id).collect()
}

fn listed(tasks: &[&TaskRow], line: impl Fn(&&TaskRow) -> String) -> String {
    let mut each: Vec<String> = tasks.iter().take(MOST_LISTED).map(line).collect();
    if tasks.len() > MOST_LISTED {
        each.push(format!("and {} more", tasks.len() - MOST_LISTED));
    }
    each.join(", ")
}

fn is_done(tasks: &[&TaskRow]) -> &'static str {
    let done = tasks.iter().filter(|task| task.status == TaskStatus::Done).count();
    match done {
        0 if tasks.iter().all(|task| task.status == TaskStatus::Cancelled) => "No: ",
        0 => "Not yet: ",
        some if some < tasks.len() => "Partly: ",
        _ => "Yes: ",
    }
}

fn told(task: &TaskRow) -> String {
    let who = task.assignee.as_deref().filter(|_| has_somebody(task));
    match (task.status, who) {
        (TaskStatus::Done, Some(who)) => format!("{}: done, {who} was on it", task.title),
        (TaskStatus::Done, None) => format!("{}: done", task.title),
        (TaskStatus::Cancelled, _) => format!("{}: called off", task.title),
        (TaskStatus::Open, Some(who)) => {
            format!("{}: open, {who} is on it{}", task.title, due(task))
        }
        (TaskStatus::Open, None) => {
            format!("{}: open, nobody is on it yet{}", task.title, due(task))
        }
    }
}

fn has_somebody(task: &TaskRow) -> bool {
    task.assignee.as_deref().is_some_and(|who| who != "someone")
}

fn is_on(task: &TaskRow, name: &str) -> bool {
    task.assignee.as_deref().is_some_and(|who| {
        who == "everyone" || who.split(", ").any(|one| one.eq_ignore_ascii_case(name))
    })
}

fn due(task: &TaskRow) -> String {
    task.due.map_or(String::new(), |due| format!(", due {}", day(due)))
}
