//! `gleaner eval --outcomes`: whole chats through the pipeline, held against what truly came of them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use secrecy::SecretString;

use super::render::outcomes::{self, Judged};
use super::{chat, signals::Stop};
use crate::app::Prepared;
use crate::evaluation::outcome::{
    BadTruth, Chat, Comparison, Expected, Repaid, Truth, missed_by_questions, read_answers,
};
use crate::ingest::{self, ChatFile, IngestOptions};
use crate::settings::{Protocol, Settings};
use crate::store::EventReport;

/// A chat with its truth, read and found good.
struct Case {
    path: PathBuf,
    file: ChatFile,
    truth: Truth,
    expected: Option<Vec<Expected>>,
}

pub(super) async fn run(
    settings: Settings,
    files: &[PathBuf],
    json: bool,
) -> anyhow::Result<ExitCode> {
    // Every truth is read before the first chat is run: a mistake in the last one is told at once.
    let cases = files.iter().map(|path| Case::read(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let settings = offline(settings)?;
    crate::telemetry::init(&settings.log);
    let asked = Stop::listen()?;
    let mut judged = Vec::new();
    for case in &cases {
        let Some(report) = play(&settings, &case.file, &asked).await? else {
            return Ok(ExitCode::FAILURE);
        };
        for (message, reason) in &report.failed {
            eprintln!("gleaner: message {message} failed: {}", reason.name());
        }
        let comparison = Comparison::of(&case.truth, case.expected.as_deref(), &report);
        judged.push(Judged {
            chat: case.path.display().to_string(),
            messages: report.messages.len(),
            failed: report.failed.len(),
            missed_floors: comparison.missed_floors(),
            comparison,
        });
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&judged)?);
    } else {
        print!("{}", outcomes::text(&judged));
    }
    let questions = missed_by_questions(judged.iter().map(|it| &it.comparison));
    if let Some(sentence) = &questions {
        eprintln!("gleaner: {sentence}");
    }
    let good = questions.is_none()
        && judged.iter().all(|it| it.missed_floors.is_empty() && it.failed == 0);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Case {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let file = ingest::read(path, &IngestOptions::default())
            .with_context(|| path.display().to_string())?;
        if let Some(broken) = file.broken.first() {
            return Err(anyhow!("{}:{}: {}", path.display(), broken.line, broken.why));
        }
        let repaid = Repaid::labelled(&read(path)?);
        let (event, messages) = (&file.batch.event, &file.batch.messages);
        let chat = Chat { event, messages, repaid: repaid.as_deref() };
        let beside = path.with_extension("truth.json");
        let truth = Truth::read(&read(&beside)?, &chat).map_err(|bad| named(&beside, &bad))?;
        let expected = match answers_of(path) {
            None => None,
            Some(path) => {
                Some(read_answers(&read(&path)?, messages).map_err(|bad| named(&path, &bad))?)
            }
        };
        Ok(Self { path: path.to_owned(), file, truth, expected })
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn named(path: &Path, bad: &BadTruth) -> anyhow::Error {
    anyhow!("{}: {bad}", path.display())
}

/// `NAME.answers.json` beside the chat, or else where this project keeps its own.
fn answers_of(chat: &Path) -> Option<PathBuf> {
    let beside = chat.with_extension("answers.json");
    let ours = Path::new("tests/data").join(beside.file_name()?);
    [beside, ours].into_iter().find(|path| path.is_file())
}

/// The settings for a run that asks nobody outside and leaves nothing behind.
fn offline(mut settings: Settings) -> anyhow::Result<Settings> {
    let offline = settings.endpoints.iter().find(|(_, it)| it.protocol == Protocol::Offline);
    let name = offline.map(|(name, _)| name.clone()).context("no endpoint is offline")?;
    for agent in settings.agents.values_mut() {
        agent.endpoint.clone_from(&name);
    }
    // A chat log is not traffic.
    settings.limits.event_per_window = 0;
    settings.limits.sender_per_window = 0;
    settings.broker.url = SecretString::default();
    settings.log.level = "warn".to_owned();
    Ok(settings)
}

/// The chat through the whole pipeline on a file of its own; `None` when the stop came first.
async fn play(
    settings: &Settings,
    file: &ChatFile,
    asked: &Stop,
) -> anyhow::Result<Option<EventReport>> {
    let folder = std::env::temp_dir().join(format!("gleaner-outcome-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mut settings = settings.clone();
    settings.database.url = format!("sqlite:{}", folder.join("chat.db").display()).into();
    let ended = settle(settings, file, asked).await;
    // The folder holds nothing but the chat's own file.
    std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    ended
}

async fn settle(
    settings: Settings,
    file: &ChatFile,
    asked: &Stop,
) -> anyhow::Result<Option<EventReport>> {
    let Some(running) = Prepared::new(settings, false).await?.start(&asked.stop).await? else {
        return Ok(None);
    };
    let event = &file.batch.event.id;
    running.store().ingest(&file.batch).await?;
    let settled = chat::wait(running.store().as_ref(), event, &asked.stop).await;
    let report = match settled {
        Ok(true) => running.store().event_report(event).await.map_err(anyhow::Error::from),
        Ok(false) => Ok(None),
        Err(error) => Err(error),
    };
    running.drain(&asked.at_once).await;
    report
}
