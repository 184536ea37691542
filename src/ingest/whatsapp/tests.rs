//! Exports as phones write them.

use super::super::{ChatFile, DateOrder, IngestOptions, read_bytes};
use super::chat_name;

fn options() -> IngestOptions {
    IngestOptions { name: Some("Trip".into()), ..IngestOptions::default() }
}

fn read_with(text: &str, options: &IngestOptions) -> ChatFile {
    read_bytes(text.as_bytes(), "chat", options).unwrap()
}

fn read(text: &str) -> ChatFile {
    read_with(text, &options())
}

/// Time to the second, sender and text of each message.
fn said(file: &ChatFile) -> Vec<(String, String, String)> {
    let messages = file.batch.messages.iter();
    messages
        .map(|m| (m.sent_at.strftime("%F %T").to_string(), m.sender.0.clone(), m.text.clone()))
        .collect()
}

fn times(text: &str) -> Vec<String> {
    said(&read(text)).into_iter().map(|(time, _, _)| time).collect()
}

fn texts(text: &str) -> Vec<String> {
    said(&read(text)).into_iter().map(|(_, _, text)| text).collect()
}

fn ids(file: &ChatFile) -> Vec<&str> {
    file.batch.messages.iter().map(|m| m.id.as_str()).collect()
}

#[test]
fn every_style_of_stamp_is_read() {
    for line in [
        "12/31/24, 9:41 PM - Tom: hi",
        "12/31/24, 9:41\u{202f}PM - Tom: hi",
        "12/31/2024, 9:41 pm - Tom: hi",
        "31/12/2024, 21:41 - Tom: hi",
        "31/12/24, 9:41 p. m. - Tom: hi",
        "31.12.24, 21:41 - Tom: hi",
        "31.12.2024 21:41 - Tom: hi",
        "31-12-2024 21:41 - Tom: hi",
        "2024-12-31, 21:41 - Tom: hi",
        "2024/12/31 9:41 PM - Tom: hi",
        "31/12/2024 à 21:41 - Tom: hi",
        "[31/12/2024, 21:41:00] Tom: hi",
        "[31.12.24, 21:41:00] Tom: hi",
        "[12/31/24, 9:41:00\u{202f}PM] Tom: hi",
        "\u{200e}[31/12/2024, 21:41:00] Tom: hi",
        "\u{feff}[2024-12-31, 9:41:00 PM] Tom: hi",
    ] {
        let found = said(&read(line));
        assert_eq!(found, [("2024-12-31 21:41:00".into(), "Tom".into(), "hi".into())], "{line:?}");
    }
}

#[test]
fn noon_and_midnight_are_told_apart() {
    assert_eq!(
        times("12/31/24, 12:05 AM - Tom: a\n12/31/24, 12:05 PM - Tom: b"),
        ["2024-12-31 00:05:00", "2024-12-31 12:05:00"]
    );
}

#[test]
fn one_day_above_twelve_decides_the_whole_file() {
    let day_first = "01/02/24, 9:41 PM - Tom: a\n13/02/24, 9:41 PM - Tom: b";
    assert_eq!(times(day_first), ["2024-02-01 21:41:00", "2024-02-13 21:41:00"]);
    let month_first = "01/02/2024, 21:41 - Tom: a\n01/13/2024, 21:41 - Tom: b";
    assert_eq!(times(month_first), ["2024-01-02 21:41:00", "2024-01-13 21:41:00"]);
}

#[test]
fn dates_that_can_be_read_both_ways_are_read_so_that_time_runs_forwards() {
    let file = read("10/02/2024, 21:41 - Tom: a\n02/03/2024, 21:41 - Tom: b");
    assert_eq!(said(&file)[1].0, "2024-03-02 21:41:00");
    assert!(file.notes.assumed[0].contains("day first"), "{:?}", file.notes);
}

#[test]
fn ambiguous_dates_are_day_first_unless_the_phone_looks_american_and_a_note_says_so() {
    let day = read("01/02/2024, 21:41 - Tom: a");
    assert_eq!(said(&day)[0].0, "2024-02-01 21:41:00");
    assert!(day.notes.assumed[0].contains("day first"), "{:?}", day.notes);
    let month = read("1/2/24, 9:41 PM - Tom: a");
    assert_eq!(said(&month)[0].0, "2024-01-02 21:41:00");
    assert!(month.notes.assumed[0].contains("month first"), "{:?}", month.notes);
}

#[test]
fn the_date_order_can_be_given_and_then_nothing_is_assumed_of_it() {
    let options = IngestOptions { date_order: Some("mdy".parse().unwrap()), ..options() };
    let file = read_with("01/02/2024, 21:41 - Tom: a", &options);
    assert_eq!(said(&file)[0].0, "2024-01-02 21:41:00");
    assert!(!file.notes.assumed.iter().any(|note| note.contains("date")));
    assert!("dym".parse::<DateOrder>().is_err());
}

#[test]
fn a_date_that_does_not_exist_is_named_and_the_rest_goes_in() {
    let file = read(
        "[31/12/2024, 21:41:05] Tom: a\n[31/02/2025, 10:00:00] Tom: b\nmore\n[01/03/2025, 10:00:00] Tom: c",
    );
    assert_eq!(file.broken.len(), 1);
    assert_eq!((file.broken[0].line, file.broken[0].why.as_str()), (2, "there is no such date"));
    assert_eq!(file.batch.messages.len(), 2);
}

#[test]
fn local_times_are_in_the_given_zone_also_in_the_hour_that_comes_twice() {
    let options = IngestOptions { time_zone: Some("Europe/London".into()), ..options() };
    let file = read_with(
        "[06/06/2026, 13:00:00] Tom: summer\n[25/10/2026, 01:30:00] Tom: first\n\
         [25/10/2026, 01:50:00] Tom: later\n[25/10/2026, 01:10:00] Tom: the hour again\n\
         [31/12/2026, 13:00:00] Tom: winter",
        &options,
    );
    let times: Vec<String> = said(&file).into_iter().map(|(time, _, _)| time).collect();
    assert_eq!(
        times,
        [
            "2026-06-06 12:00:00",
            "2026-10-25 00:30:00",
            "2026-10-25 00:50:00",
            "2026-10-25 01:10:00",
            "2026-12-31 13:00:00"
        ]
    );
    assert_eq!(file.batch.event.time_zone, "Europe/London");
}

#[test]
fn a_message_goes_on_over_lines_until_the_next_stamp() {
    let file = "31/12/2024, 21:41 - Tom: shopping:\r\n- rice\r\n\r\n[31/12/2024, 10:00:00] Sue: a quote\r\n7/11 is open\r\n31/12/2024, 21:42 - Sue: ok\r\n";
    assert_eq!(
        texts(file),
        ["shopping:\n- rice\n\n[31/12/2024, 10:00:00] Sue: a quote\n7/11 is open", "ok"]
    );
}

#[test]
fn a_colon_in_the_words_does_not_cut_them() {
    let file = read("31/12/2024, 21:41 - Dr. A: note: pay 3:30 https://x.y/z");
    assert_eq!(said(&file)[0].1, "Dr. A");
    assert_eq!(said(&file)[0].2, "note: pay 3:30 https://x.y/z");
}

#[test]
fn the_programs_own_lines_are_left_out_and_counted() {
    let android = read(
        "12/31/24, 9:41 PM - Messages and calls are end-to-end encrypted. Only people in this chat can read them.\n\
         12/31/24, 9:41 PM - Tom created group \"Trip: summer\"\n\
         12/31/24, 9:41 PM - Tom added Sue\n\
         12/31/24, 9:42 PM - Tom changed the subject from \"A: b\" to \"C\"\n\
         12/31/24, 9:42 PM - Sue left\n\
         12/31/24, 9:43 PM - Liv joined using this group's invite link\n\
         12/31/24, 9:44 PM - Tom: hi",
    );
    assert_eq!((android.notes.system, android.batch.messages.len()), (6, 1));
    let ios = read(
        "[31/12/2024, 21:41:05] Trip: \u{200e}Messages and calls are end-to-end encrypted.\n\
         [31/12/2024, 21:41:05] Tom: \u{200e}Tom created this group\n\
         [31/12/2024, 21:41:06] Tom: \u{200e}Tom hat Sue hinzugefügt\n\
         [31/12/2024, 21:41:07] Tom: hi",
    );
    assert_eq!((ios.notes.system, ios.batch.messages.len()), (3, 1));
    let people: Vec<_> = ios.batch.event.participants.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(people, ["Tom"], "the group's name is nobody who takes part");
}

#[test]
fn media_is_left_out_and_counted_and_captions_stay() {
    let file = read(
        "[31/12/2024, 21:41:05] Tom: \u{200e}image omitted\n\
         \u{200e}[31/12/2024, 21:41:06] Tom: \u{200e}<attached: 00000012-PHOTO-2024.jpg>\n\
         [31/12/2024, 21:41:07] Tom: <Media omitted>\n\
         [31/12/2024, 21:41:08] Tom: <Medien ausgeschlossen>\n\
         [31/12/2024, 21:41:09] Tom: IMG-20241231-WA0001.jpg (file attached)\n\
         [31/12/2024, 21:41:10] Tom: IMG-20241231-WA0002.jpg (file attached)\nthe cake, 120 paid\n\
         [31/12/2024, 21:41:11] Tom: the hall \u{200e}<attached: 00000013-PHOTO-2024.jpg>\n\
         [31/12/2024, 21:41:12] Tom: Plan.pdf • \u{200e}2 pages \u{200e}document omitted\n\
         [31/12/2024, 21:41:13] Tom: <multimedia omitido>\n\
         [31/12/2024, 21:41:14] Tom: null",
    );
    assert_eq!(file.notes.media, 10);
    let texts: Vec<String> = said(&file).into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(texts, ["the cake, 120 paid", "the hall"]);
}

#[test]
fn deleted_messages_are_left_out_and_edited_ones_lose_their_suffix() {
    let file = read(
        "[31/12/2024, 21:41:05] Tom: \u{200e}This message was deleted.\n\
         [31/12/2024, 21:41:06] Tom: \u{200e}You deleted this message.\n\
         [31/12/2024, 21:41:07] Tom: Diese Nachricht wurde gelöscht\n\
         [31/12/2024, 21:41:08] Tom: paid 460 \u{200e}<This message was edited>\n\
         [31/12/2024, 21:41:09] Tom: ask @\u{2068}Sue\u{2069} about it",
    );
    assert_eq!(file.notes.deleted, 3);
    let texts: Vec<String> = said(&file).into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(texts, ["paid 460", "ask @Sue about it"]);
}

#[test]
fn a_poll_is_its_senders_also_where_it_is_marked() {
    let poll = "[31/12/2024, 21:41:05] Tom: \u{200e}POLL:\nWhere?\n\u{200e}OPTION: Bath (2 votes)\n\u{200e}OPTION: York (0 votes)";
    assert_eq!(texts(poll), ["POLL:\nWhere?\nOPTION: Bath (2 votes)\nOPTION: York (0 votes)"]);
}

#[test]
fn senders_are_taken_as_participants_without_whatsapps_tilde() {
    let file = read(
        "31/12/2024, 21:41 - ~\u{202f}Zoë Müller: a\n31/12/2024, 21:42 - +44 7700 900123: b\n31/12/2024, 21:43 - ~ Zoë Müller: c",
    );
    let people: Vec<_> = file.batch.event.participants.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(people, ["Zoë Müller", "+44 7700 900123"]);
}

#[test]
fn messages_of_the_same_minute_keep_the_files_order() {
    let file = read(
        "31/12/2024, 21:41 - Tom: b\n31/12/2024, 21:41 - Tom added Sue\n31/12/2024, 21:41 - Sue: a\n31/12/2024, 21:42 - Tom: c",
    );
    let micros: Vec<i32> =
        file.batch.messages.iter().map(|m| m.sent_at.subsec_microsecond()).collect();
    assert_eq!(micros, [0, 2, 0]);
    assert!(file.batch.messages.is_sorted_by_key(|m| m.sent_at));
}

#[test]
fn a_longer_export_gives_the_same_messages_and_more() {
    // The first two lines can be read both ways, the third cannot: also then nothing is doubled.
    let short = "1/2/24, 9:41 PM - Tom: ok\n1/2/24, 9:41 PM - Tom: ok";
    let long = format!("{short}\n1/2/24, 9:41 PM - Tom: ok\n13/2/24, 9:42 PM - Sue: new");
    let (short, long) = (read(short), read(&long));
    assert_eq!(ids(&short), ids(&long)[..2]);
    let mut all = ids(&long);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4, "equal messages are told apart");
    let same_style = read("31/12/2024, 21:41 - Tom: ok\n31/12/2024, 21:41 - Sue: ok");
    let longer = read(
        "31/12/2024, 21:41 - Tom: ok\n31/12/2024, 21:41 - Sue: ok\n31/12/2024, 21:41 - Sue: no",
    );
    assert_eq!(same_style.batch.messages[..], longer.batch.messages[..2]);
}

#[test]
fn the_same_chat_under_another_event_has_other_ids() {
    let text = "31/12/2024, 21:41 - Tom: ok";
    let mine = read(text);
    let event = crate::domain::ids::EventId::parse("copy-7").unwrap();
    let copy = read_with(text, &IngestOptions { event: Some(event), ..options() });
    assert_eq!(copy.batch.event.id.as_str(), "copy-7");
    assert_eq!(copy.batch.messages[0].room.as_str(), "copy-7:main");
    assert_ne!(ids(&mine), ids(&copy));
}

#[test]
fn the_options_make_the_event() {
    let options = IngestOptions {
        name: Some("Our wedding".into()),
        starts_at: Some("2026-06-06 13:00".into()),
        currency: Some("gbp".into()),
        budget: Some(20_000.5),
        time_zone: Some("Europe/London".into()),
        ..IngestOptions::default()
    };
    let event = read_with("31/12/2024, 21:41 - Tom: hi", &options).batch.event;
    assert_eq!(event.name, "Our wedding");
    assert_eq!(event.starts_at.unwrap().to_string(), "2026-06-06T12:00:00Z");
    assert_eq!((event.currency.code(), event.budget), ("GBP", Some(2_000_050)));
    assert!(event.id.as_str().starts_with("evt-"));
}

#[test]
fn a_wrong_option_is_named() {
    let wrong = [
        ("--starts-at", IngestOptions { starts_at: Some("soon".into()), ..options() }),
        ("--currency", IngestOptions { currency: Some("pounds".into()), ..options() }),
        ("--budget", IngestOptions { budget: Some(-1.0), ..options() }),
        ("--time-zone", IngestOptions { time_zone: Some("Mars/Base".into()), ..options() }),
        ("--name", IngestOptions { name: Some(" ".into()), ..options() }),
    ];
    for (option, options) in wrong {
        let error = read_bytes(b"31/12/2024, 21:41 - Tom: hi", "chat", &options).unwrap_err();
        assert!(error.to_string().starts_with(option), "{error}");
    }
}

#[test]
fn lines_that_are_broken_are_named_by_their_numbers() {
    let mut bytes =
        b"a stray line\n31/12/2024, 21:41 - Tom: ok\n31/12/2024, 21:42 - Tom: caf".to_vec();
    bytes.extend_from_slice(
        b"\xe9\n31/12/2024, 21:43 - Tom: one\nbad \xff line\n31/12/2024, 21:44 - Tom: ",
    );
    bytes.extend_from_slice("x".repeat(70_000).as_bytes());
    bytes.extend_from_slice(b"\n31/12/2024, 21:45 - Tom: last");
    let file = read_bytes(&bytes, "chat", &options()).unwrap();
    let lines: Vec<usize> = file.broken.iter().map(|broken| broken.line).collect();
    assert_eq!(lines, [1, 3, 5, 6]);
    assert!(file.broken[3].why.contains("70000 bytes"), "{:?}", file.broken[3]);
    let texts: Vec<String> = said(&file).into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(texts, ["ok", "last"]);
}

#[test]
fn the_chats_name_is_the_files_without_whatsapps_own_words() {
    assert_eq!(chat_name("WhatsApp Chat with Priya & Tom"), "Priya & Tom");
    assert_eq!(chat_name("_chat"), "_chat");
    assert_eq!(chat_name(" "), "chat");
}
