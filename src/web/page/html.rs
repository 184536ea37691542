//! The little HTML that the page is made of.

/// The text as it may stand in an element or an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// A row of a table: a name, then cells that are escaped already.
pub(super) fn row(cells: &[String]) -> String {
    let mut cells = cells.iter();
    let name = cells.next().map(String::as_str).unwrap_or_default();
    let rest: String = cells.map(|cell| format!("<td class=\"n\">{cell}</td>")).collect();
    format!("<tr><th scope=\"row\">{name}</th>{rest}</tr>")
}

/// A table of rows.
pub(super) fn table(heads: &[&str], rows: &[String]) -> String {
    let class = |nth| if nth == 0 { "" } else { " class=\"n\"" };
    let heads = heads.iter().enumerate();
    let heads: String =
        heads.map(|(nth, head)| format!("<th scope=\"col\"{}>{head}</th>", class(nth))).collect();
    format!("<table><thead><tr>{heads}</tr></thead><tbody>{}</tbody></table>", rows.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_browser_is_escaped() {
        assert_eq!(
            escaped("<a href='x'>\"&\"\u{7}"),
            "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot; "
        );
    }

    #[test]
    fn a_row_begins_with_its_name() {
        let made = row(&["calls".to_owned(), "7".to_owned()]);
        assert_eq!(made, "<tr><th scope=\"row\">calls</th><td class=\"n\">7</td></tr>");
    }
}
