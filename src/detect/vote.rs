//! Short answers that name a choice. Whether a poll has it, the fold knows.

use super::findings::Findings;
use super::options::{emoji_word, is_emoji};
use crate::domain::intent::{FollowUp, FollowUpKind, Target};

/// Words that a pick may be wrapped in.
const AROUND: &str = "
    the a an for me please pls plz it is then easy ez obviously obvs deffo definitely too also
    as well gets my vote votes from wins works i i'd i'll go with say like prefer love one ok
    yes yeah so would be but and all way team think pick fine good great best better sounds
    midday us just of course sí either in to on at now
";
/// Words that make a short message talk, not a pick.
const TALK: &str = "
    thanks thank thx cheers lol haha hahaha omg hello hi hey morning night goodnight welcome
    sorry no nah nope yep yup yess yesss woohoo wow agreed same what why who where when how
    which he she they we you your his her their our was were has have had did do does will can
    could should not don't i'm i've it's that's that this there here are am sent done paid told
    got get coming going happy congrats congratulations dear god dead crying nice noted legend
    love media attached file test typo voted stop cool righto right ah ahh aww oh arre wah wahh
    inshallah proud boo yum acceptable logged lifesaver luck never weekend says doing quoting
    call mum's who's she'll doesn't wasn't isn't won't can't lads guys everyone locking spent
    already k ha see looks take keep while amazing lovely brilliant perfect fair noice mate
    omitted
";

fn is_in(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|it| it == word)
}

/// Faces, hands and hearts say how one feels, not what one picks.
fn is_mood(c: char) -> bool {
    matches!(u32::from(c), 0x1F44A..=0x1F450 | 0x1F493..=0x1F49F | 0x1F600..=0x1F64F | 0x1F900..=0x1F93A | 0x1F970..=0x1F97A)
        || matches!(
            c,
            '❤' | '♥'
                | '🎉'
                | '🔥'
                | '💀'
                | '💯'
                | '✨'
                | '🙏'
                | '👀'
                | '👋'
                | '👏'
                | '✅'
                | '🧡'
                | '💕'
                | '💍'
        )
}

/// A short answer that names a choice: the fold knows whether a poll has it.
pub(super) fn vote(findings: &Findings<'_, '_>) -> Option<FollowUp> {
    let text = findings.text;
    let folded = text.folded().trim();
    if folded.contains('?') || folded.contains('/') || folded.contains('@') {
        return None;
    }
    let end = [",", ". ", "...", "!", "\n"].iter().filter_map(|mark| folded.find(mark)).min();
    let clause = end.map_or(folded, |at| &folded[..at]).trim_end_matches('.');
    let words: Vec<&str> = clause
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '-' | ':' | '.'))
        .filter(|word| !word.is_empty())
        .collect();
    // "no theme" picks what is called so; "no" alone and "no way that works" do not.
    let talk = |word: &&str| is_in(TALK, word) && !(words.len() == 2 && *word == "no");
    if words.len() > 6
        || text.words().len() > 14
        || words.iter().any(talk)
        || findings.amounts.iter().any(|amount| amount.sure)
    {
        return None;
    }
    let around = |word: &&str| is_in(AROUND, word);
    let start = words.iter().take_while(|word| around(word)).count();
    let kept = words.len() - words.iter().rev().take_while(|word| around(word)).count();
    let mut picks: Vec<&str> = words.get(start..kept).unwrap_or(&[]).to_vec();
    picks.dedup();
    let picked = match picks.len() {
        0 if text.words().is_empty() => picked_emoji(folded)?,
        1..=3 => picks.join(" "),
        _ => return None,
    };
    Some(FollowUp {
        kind: FollowUpKind::Vote,
        target: Target { thing: Some(picked), ..Target::default() },
    })
}

/// One emoji, however often, that is no mood; by its word where it has one.
fn picked_emoji(folded: &str) -> Option<String> {
    let mut emojis = folded.chars().filter(|c| is_emoji(*c));
    let first = emojis.next().filter(|c| !is_mood(*c))?;
    emojis
        .all(|c| c == first)
        .then(|| emoji_word(first).map_or_else(|| first.to_string(), str::to_owned))
}
