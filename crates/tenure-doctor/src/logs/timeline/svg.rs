//! As a picture.

use std::fmt::Write as _;

use super::lanes::{actors, lane, since, start};
use crate::logs::{Event, time};

/// Pixels between two events, and two lanes.
const ROW: usize = 24;
const LANE: usize = 28;
const LEFT: usize = 130;
const WIDTH: usize = 960;
/// Characters of a text that fit.
const FITS: usize = 90;

/// A self-contained picture: lanes from left to right, time downwards, bad events in red. It has no
/// scripts and refers to nothing; its colours follow the page's text colour. Empty where there are no
/// events.
pub fn svg(events: &[Event]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let actors = actors(events);
    let start = start(events);
    let top = ROW * (actors.len() + 2);
    let height = top + ROW * (events.len() + 1);
    let mut drawn = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"currentColor\">\n<title>Timeline from {} UTC</title>\n<text x=\"8\" y=\"{ROW}\">{} UTC</text>\n",
        time::absolute(start),
        time::absolute(start),
    );
    for (place, actor) in actors.iter().enumerate() {
        let x = LEFT + LANE * place;
        let y = ROW * (place + 2);
        let _ = writeln!(
            drawn,
            "<line x1=\"{x}\" y1=\"{y}\" x2=\"{x}\" y2=\"{}\" stroke=\"currentColor\" stroke-opacity=\"0.25\" stroke-width=\"2\"/>\n<text x=\"{}\" y=\"{y}\" font-weight=\"600\">{}</text>",
            height - ROW / 2,
            x + 8,
            escaped(actor),
        );
    }
    for (row, event) in events.iter().enumerate() {
        event_drawn(&mut drawn, event, &actors, start, top + ROW * row);
    }
    drawn.push_str("</svg>\n");
    drawn
}

fn event_drawn(drawn: &mut String, event: &Event, actors: &[String], start: u64, y: usize) {
    let x = LEFT + LANE * lane(actors, event);
    let colour = if event.bad { "#d1242f" } else { "#1a7f37" };
    let words = LEFT + LANE * actors.len();
    let _ = writeln!(
        drawn,
        "<g><title>{} UTC, {}</title><text x=\"8\" y=\"{}\" fill-opacity=\"0.7\">{}</text><circle cx=\"{x}\" cy=\"{y}\" r=\"6\" fill=\"{colour}\"/><text x=\"{words}\" y=\"{}\">{}</text></g>",
        time::absolute(event.at_ms),
        escaped(&event.source.to_string()),
        y + 4,
        since(start, event.at_ms),
        y + 4,
        escaped(&shortened(&event.what)),
    );
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(FITS) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// For text in XML; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
    {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}
