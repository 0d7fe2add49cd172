//! For a terminal.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::lanes::{actors, lane, since, start};
use crate::logs::{Event, time};

/// Columns below which nothing readable fits.
const NARROWEST: usize = 40;

/// One line per event, one column of marks per actor: `●` went well, `✗` did not. No line is wider
/// than `width` columns (40 at least). Ends with a newline; empty where there are no events.
pub fn text(events: &[Event], width: usize) -> String {
    let width = width.max(NARROWEST);
    let actors = actors(events);
    let start = start(events);
    let mut drawn = String::new();
    if events.is_empty() {
        return drawn;
    }
    let from = if start == 0 {
        "times are not in the log".to_owned()
    } else {
        format!("from {} UTC", time::absolute(start))
    };
    let _ = writeln!(drawn, "{}", cut(&from, width));
    for (place, actor) in actors.iter().enumerate() {
        let head = format!("{}{} {actor}", "│ ".repeat(place), "┌");
        let _ = writeln!(drawn, "{:>16} {}", "", cut(&head, width - 17));
    }
    let mut last = None;
    for event in events {
        let when = since(start, event.at_ms);
        let shown = if last.as_ref() == Some(&when) {
            String::new()
        } else {
            when.clone()
        };
        last = Some(when);
        let mine = lane(&actors, event);
        let marks: String = (0..actors.len())
            .map(|place| match (place == mine, event.bad) {
                (true, true) => "✗ ",
                (true, false) => "● ",
                (false, _) => "│ ",
            })
            .collect();
        let line = format!("{marks}{}  [{}]", event.what, event.source);
        let _ = writeln!(drawn, "{shown:>16} {}", cut(&line, width - 17));
    }
    drawn
}

/// The beginning that fits, with `…` where something is missing; control characters are left out.
fn cut(text: &str, width: usize) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    if text.width() <= width {
        return text;
    }
    let mut taken = 0;
    let mut kept: String = text
        .chars()
        .take_while(|c| {
            taken += c.width().unwrap_or_default();
            taken < width
        })
        .collect();
    kept.push('…');
    kept
}
