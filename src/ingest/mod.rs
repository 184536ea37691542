//! Chat files: JSON Lines and WhatsApp exports.
//!
//! A file becomes one batch for the store: an event and its messages. A broken
//! line is named by its number and left out, and the good ones still go in; only
//! what says which event it is must be right. Reading the same file twice, or a
//! longer export of the same chat, gives the same IDs for what was there before.

mod event;
mod jsonl;
mod whatsapp;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::domain::chat::Event;
use crate::domain::ids::EventId;
use crate::store::IngestBatch;

pub use whatsapp::DateOrder;

/// The longest text of a message, in bytes.
pub const LONGEST_TEXT: usize = 64 * 1024;

/// The largest chat file, in bytes; years of a lively group are a tenth of it.
pub const LARGEST_FILE: u64 = 256 * 1024 * 1024;

/// What the person who ingests says about a chat; it beats what the file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IngestOptions {
    /// The event's ID; message and room IDs of the file are prefixed with it.
    pub event: Option<EventId>,
    /// What the group calls the event.
    pub name: Option<String>,
    /// When it begins: RFC 3339, or a date with or without a time in the event's time zone.
    pub starts_at: Option<String>,
    /// ISO 4217 code of what a bare amount is in.
    pub currency: Option<String>,
    /// The group's own budget, in major units.
    pub budget: Option<f64>,
    /// IANA name; WhatsApp's local times are in it, and so is everything said about days.
    pub time_zone: Option<String>,
    /// How a WhatsApp export writes its dates, where it is known.
    pub date_order: Option<DateOrder>,
}

/// Which kind of file it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A header line, then a message a line.
    JsonLines,
    /// What WhatsApp exports.
    WhatsApp,
}

/// What was read from a chat file.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatFile {
    /// Which kind of file it was.
    pub format: Format,
    /// The event and the good messages, in the file's order.
    pub batch: IngestBatch,
    /// The lines that were left out because they are broken, in the file's order.
    pub broken: Vec<BrokenLine>,
    /// What else was left out, and what was assumed.
    pub notes: Notes,
}

/// A line that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenLine {
    /// Its number; the file's first line is 1.
    pub line: usize,
    /// What is wrong with it; never chat text.
    pub why: String,
}

/// What a person should know about how a file was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// The chat program's own lines (joined, left, changed the subject), left out.
    pub system: u64,
    /// Places of photos, videos and documents; a caption still goes in as a message.
    pub media: u64,
    /// Messages that their senders deleted, left out.
    pub deleted: u64,
    /// What had to be assumed, a sentence each.
    pub assumed: Vec<String>,
}

/// Why a file gave no chat at all. What the system said is in the text, and no source.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Neither kind of chat file.
    #[error("this is no chat file: {0}")]
    NotAChat(String),
    /// The line that says which event it is about is missing or wrong.
    #[error("line {line}: {why}")]
    BadHeader {
        /// The header's line; the file's first line is 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// An option does not hold what it must.
    #[error("--{option}: {why}")]
    BadOption {
        /// The option, as it is written on the command line.
        option: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads a chat file.
///
/// # Errors
/// When the file cannot be read, is no chat file, has no good header, or an option is wrong.
/// Broken lines are no error: they are in [`ChatFile::broken`].
pub fn read(path: &Path, options: &IngestOptions) -> Result<ChatFile, IngestError> {
    let unreadable = |error| IngestError::Unreadable { path: path.to_owned(), error };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_FILE {
        let why = format!("it is larger than {} MiB", LARGEST_FILE >> 20);
        return Err(unreadable(io::Error::new(io::ErrorKind::FileTooLarge, why)));
    }
    let stem = path.file_stem().map_or_else(|| "chat".into(), |stem| stem.to_string_lossy());
    read_bytes(&bytes, &stem, options)
}

/// Reads a chat from a file's content; `stem` is its name without the ending.
///
/// # Errors
/// As [`read`], without the file's own.
pub fn read_bytes(
    bytes: &[u8],
    stem: &str,
    options: &IngestOptions,
) -> Result<ChatFile, IngestError> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(IngestError::NotAChat("it is a ZIP archive; unpack the .txt in it".into()));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(IngestError::NotAChat("it is UTF-16; save it as UTF-8".into()));
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err(IngestError::NotAChat("it is empty".into())),
        Some(b'{') => jsonl::read(bytes, options),
        Some(_) => whatsapp::read(bytes, stem, options),
    }
}

/// The event that a header line `{"event": {…}}` names, as a chat file would open with it.
///
/// # Errors
/// [`IngestError::BadHeader`] when the line is no such header.
pub fn event_of_header(number: usize, line: &[u8]) -> Result<Event, IngestError> {
    jsonl::read_event(number, line, &IngestOptions::default())
}

/// The lines with their numbers, without line ends; blank ones too.
fn numbered_lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    bytes
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        read_bytes(bytes, "chat", &IngestOptions::default()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_chat_is_refused_with_a_reason() {
        assert!(refused(b" \r\n\n").contains("empty"));
        assert!(refused(b"PK\x03\x04....").contains("ZIP"));
        assert!(refused(&[0xff, 0xfe, b'[', 0]).contains("UTF-16"));
        let error = refused(b"\nDear all,\nhello");
        assert!(error.contains("line 2") && error.contains("\"event\""), "{error}");
        assert!(!error.contains("Dear"), "chat text in an error");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(Path::new("/no/such/chat.txt"), &IngestOptions::default()).unwrap_err();
        assert!(matches!(error, IngestError::Unreadable { .. }));
        assert!(error.to_string().contains("/no/such/chat.txt"), "{error}");
    }

    #[test]
    fn the_first_line_decides_which_kind_of_file_it_is() {
        let options = IngestOptions::default();
        let json = read_bytes(b"\xef\xbb\xbf\n{\"event\": {\"name\": \"Trip\"}}", "x", &options);
        assert_eq!(json.unwrap().format, Format::JsonLines);
        let whatsapp = read_bytes(b"[31/12/2024, 21:41:05] Tom: hi", "x", &options);
        assert_eq!(whatsapp.unwrap().format, Format::WhatsApp);
    }

    #[test]
    fn a_file_on_disk_gives_its_stem_as_the_events_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Summer trip.txt");
        std::fs::write(&path, "31/12/2024, 21:41 - Tom: hi").unwrap();
        let file = read(&path, &IngestOptions::default()).unwrap();
        assert_eq!(file.batch.event.name, "Summer trip");
    }
}
