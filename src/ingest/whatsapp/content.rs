//! What a WhatsApp line says: somebody's words, or WhatsApp's own.
//!
//! WhatsApp writes its own lines in the phone's language. English is known in
//! full, the other large languages for what is common; on iOS a direction mark
//! before the words tells WhatsApp's own in any language.

use std::sync::LazyLock;

use regex::Regex;

use super::stamp::{MARKS, Style};

/// What a stamped line with its continuation lines is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Somebody's words; `media` when they stood under a photo, video or document.
    Said { sender: String, text: String, media: bool },
    /// WhatsApp's own line.
    System,
    /// The place of a photo, video or document, without a caption.
    Media,
    /// The place of a message that was deleted.
    Deleted,
}

/// Marks that carry nothing once a text stands on its own: directions and the frames of mentions.
const INVISIBLE: [char; 10] = [
    '\u{200e}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2068}',
    '\u{2069}', '\u{feff}',
];

/// Lines of WhatsApp's own that may hold a colon, by what stands before it.
const SYSTEM_WITH_COLON: &str = r"(?x)
    changed\ the\ (subject|group\ name|group\ description|settings|message\ timer)
    | created\ (the\ )?group | changed\ this\ group | end-to-end\ encrypted | pinned\ a\ message
    | hat\ den\ (Betreff|Gruppennamen) | hat\ die\ (Gruppe|Gruppenbeschreibung)
    | cambió\ el\ (asunto|nombre\ del\ grupo) | creó\ el\ grupo
    | a\ (changé|modifié)\ (l['’]objet|le\ sujet|le\ nom) | a\ créé\ le\ groupe
    | ha\ cambiato\ (l['’]oggetto|il\ nome) | ha\ creato\ il\ gruppo
    | (mudou|alterou)\ o\ (assunto|nome) | criou\ o\ grupo
    | heeft\ (het\ onderwerp|de\ groep)";

/// A line that stands where a photo, video or document was.
const MEDIA: &str = r"(?xi)^(?:
    <[^<>\n]*\b(?:omitted|ausgeschlossen|weggelassen|omitidos?|omitidas?|ocult[ao]s?|omis|omise|omess[aio]|weggelaten)\b[^<>\n]*>
    | (?:image|photo|video|video\ note|audio|voice\ message|sticker|gif|document|contact\ card)\ omitted
    | (?:bild|video|videonachricht|audio|sticker|gif|dokument|kontaktkarte)\ weggelassen
    | (?:imagen|video|audio|sticker|gif|documento|tarjeta\ de\ contacto)\ omitid[oa]
    | (?:image|vidéo|audio|sticker|gif|document)\ (?:absente?|omise?)
    | (?:immagine|video|audio|sticker|gif|documento)\ omess[ao]
    | (?:imagem|vídeo|áudio|figurinha|gif|documento)\ ocultad[oa]
    | (?:afbeelding|video|audio|sticker|gif|document)\ weggelaten
    | [^\n]{1,250}\.[a-z0-9]{2,5}\ \((?:file\ attached|datei\ angehängt|archivo\ adjunto|fichier\ joint|file\ allegato|arquivo\ anexado|bestand\ bijgevoegd)\)
    | [^\n]{1,250}•[^\n]{0,60}\ (?:omitted|weggelassen|omitid[oa]|omis|omesso|ocultado|weggelaten)
    | null
    )\.?$";

/// iOS's `<attached: 00000012-PHOTO.jpg>`, alone or behind a caption.
const ATTACHED: &str = r"\u{200e}?<[^<>:\n]{1,24}:\s?[^<>\n]{1,250}\.[A-Za-z0-9]{2,5}>\s*$";

const EDITED: &str = r"(?i)\s*\u{200e}?<(?:this message was edited|diese nachricht wurde bearbeitet|se editó este mensaje|ce message a été modifié|questo messaggio è stato modificato|(?:esta )?mensagem (?:foi )?editada|dit bericht is bewerkt)\.?>\s*$";

const DELETED: &str = r"(?i)^(?:this message was deleted(?: by admin .{1,100})?|you deleted this message(?: as admin)?|diese nachricht wurde gelöscht|du hast diese nachricht gelöscht|se eliminó este mensaje|eliminaste este mensaje|ce message a été supprimé|vous avez supprimé ce message|questo messaggio è stato eliminato|hai eliminato questo messaggio|(?:esta )?mensagem (?:foi )?apagada|(?:você apagou esta mensagem)|dit bericht is verwijderd|je hebt dit bericht verwijderd)\.?$";

const WAITING: &str = r"(?i)^waiting for this message\b";

struct Phrases {
    system: Regex,
    media: Regex,
    attached: Regex,
    edited: Regex,
    deleted: Regex,
    waiting: Regex,
}

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let compiled = |pattern| {
        Regex::new(pattern).expect("the pattern is a constant, and every test compiles it")
    };
    Phrases {
        system: compiled(SYSTEM_WITH_COLON),
        media: compiled(MEDIA),
        attached: compiled(ATTACHED),
        edited: compiled(EDITED),
        deleted: compiled(DELETED),
        waiting: compiled(WAITING),
    }
});

/// What the lines behind a stamp are; `body` holds them all, joined by line ends.
pub(super) fn read(style: Style, body: &str) -> Content {
    let phrases = &*PHRASES;
    let Some((sender, said)) = split_sender(body) else { return Content::System };
    if phrases.system.is_match(sender) {
        return Content::System;
    }
    let sender = visible(sender.trim_start_matches(MARKS).trim_start_matches('~'));
    if sender.is_empty() {
        return Content::System;
    }
    let marked = style == Style::Ios && said.starts_with('\u{200e}');
    let said = phrases.edited.replace(said, "");
    let uncovered = phrases.attached.replace(&said, "");
    let attached = uncovered.len() < said.len();
    let text = visible(&uncovered);
    let (first, rest) = text.split_once('\n').unwrap_or((text.as_str(), ""));
    if phrases.deleted.is_match(&text) {
        return Content::Deleted;
    }
    if phrases.waiting.is_match(&text) {
        return Content::System;
    }
    let (media, text) = if phrases.media.is_match(first) {
        (true, rest.trim().to_owned())
    } else {
        (attached, text)
    };
    if media && text.is_empty() {
        return Content::Media;
    }
    // A poll is marked too, but it is the sender's.
    let whatsapps_own = marked && !media && !text.starts_with("POLL:");
    if whatsapps_own { Content::System } else { Content::Said { sender, text, media } }
}

/// Sender and words, split at the first colon before a space or a line's end.
fn split_sender(body: &str) -> Option<(&str, &str)> {
    let first = body.split('\n').next().unwrap_or("");
    let at = first
        .match_indices(':')
        .map(|(at, _)| at)
        .find(|at| first[at + 1..].chars().next().is_none_or(char::is_whitespace))?;
    let said = &body[at + 1..];
    Some((&body[..at], said.strip_prefix([' ', '\u{a0}', '\u{202f}']).unwrap_or(said)))
}

/// The text without direction marks, trimmed.
fn visible(text: &str) -> String {
    let text: String = text.chars().filter(|c| !INVISIBLE.contains(c)).collect();
    text.trim().to_owned()
}
