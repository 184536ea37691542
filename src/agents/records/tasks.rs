//! Questions about what is to do, who does it, and by when.

use super::{Asked, Found};
use crate::domain::projection::{TaskRow, TaskStatus};

/// How many tasks are listed by name at most.
const MOST_LISTED: usize = 20;

impl Asked<'_> {
    pub(super) fn tasks(&self) -> Found {
        if self.says(&["unassigned"]) || self.says_in_order(&["nobody", "on"]) {
            return self
                .list("Nobody is on", "Somebody is on everything.", |task| !has_somebody(task));
        }
        if self.says(&["overdue", "late"]) {
            let late = |task: &TaskRow| task.due.is_some_and(|due| due < self.today);
            return self.list("Overdue", "Nothing is overdue.", late);
        }
        if let Some(task) = self.task() {
            return Some(self.told_task(task));
        }
        if let Some(person) = self.person() {
            let name = self.event.name_of(&person).to_owned();
            let nothing = format!("Nothing open is on {name}.");
            return self.list(&format!("Open for {name}"), &nothing, |task| is_on(task, &name));
        }
        self.asks_for_all_tasks()
            .then(|| self.list("Still to do", "Nothing is left to do.", |_| true))
            .flatten()
    }

    /// Who has a task; other facts on people are not in the rows.
    pub(super) fn who(&self) -> Found {
        self.task().map(|task| self.told_task(task))
    }

    /// When a task is due, or when the event begins.
    pub(super) fn when(&self) -> Found {
        let dated = self.task().filter(|task| task.due.is_some());
        if let Some(task) = dated {
            return Some(self.told_task(task));
        }
        let starts = self.event.starts_at.filter(|_| {
            self.is_about(&self.event.kind)
                || self.is_about(&self.event.name)
                || self.is_about("event start")
        })?;
        let starts = starts.to_zoned(self.event.zone());
        Some((format!("It begins on {}.", starts.strftime("%A, %-d %B %Y at %H:%M")), Vec::new()))
    }

    fn asks_for_all_tasks(&self) -> bool {
        const ALL: [&str; 12] = [
            "outstanding",
            "left",
            "open",
            "todo",
            "list",
            "all",
            "everything",
            "remaining",
            "do",
            "still",
            "pending",
            "progress",
        ];
        self.subject.iter().all(|word| ALL.contains(&word.as_str()))
    }

    /// The latest task about the subject; one that is not cancelled before one that is.
    fn task(&self) -> Option<&TaskRow> {
        let about = |task: &&TaskRow| self.is_about(&task.object) || self.is_about(&task.title);
        let mut tasks = self.rows.tasks.iter().rev().filter(about);
        let standing = tasks.clone().find(|task| task.status != TaskStatus::Cancelled);
        standing.or_else(|| tasks.next())
    }

    fn told_task(&self, task: &TaskRow) -> (String, Vec<uuid::Uuid>) {
        let who = task.assignee.as_deref().filter(|_| has_somebody(task));
        let said = match (task.status, who) {
            (TaskStatus::Done, Some(who)) => format!("{}: done, {who} was on it.", task.title),
            (TaskStatus::Done, None) => format!("{}: done.", task.title),
            (TaskStatus::Cancelled, _) => format!("{}: called off.", task.title),
            (TaskStatus::Open, Some(who)) => {
                format!("{}: open, {who} is on it{}.", task.title, due(task))
            }
            (TaskStatus::Open, None) => {
                format!("{}: open, nobody is on it yet{}.", task.title, due(task))
            }
        };
        (said, vec![task.id])
    }

    /// The open tasks that are wanted, or a sentence that there is none.
    fn list(&self, title: &str, nothing: &str, wanted: impl Fn(&TaskRow) -> bool) -> Found {
        let open = self.rows.tasks.iter().filter(|task| task.status == TaskStatus::Open);
        let tasks: Vec<&TaskRow> = open.filter(|task| wanted(task)).collect();
        if tasks.is_empty() {
            return Some((nothing.to_owned(), Vec::new()));
        }
        let line = |task: &&TaskRow| match task.assignee.as_deref().filter(|_| has_somebody(task)) {
            Some(who) => format!("{} ({who}{})", task.title, due(task)),
            None => format!("{} (nobody yet{})", task.title, due(task)),
        };
        let mut each: Vec<String> = tasks.iter().take(MOST_LISTED).map(line).collect();
        if tasks.len() > MOST_LISTED {
            each.push(format!("and {} more", tasks.len() - MOST_LISTED));
        }
        Some((format!("{title}: {}.", each.join(", ")), tasks.iter().map(|task| task.id).collect()))
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
    task.due.map_or(String::new(), |due| format!(", due {}", due.strftime("%-d %B %Y")))
}
