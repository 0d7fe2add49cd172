//! The timeline, drawn.

use tenure_doctor::logs::{Event, timeline};
use unicode_width::UnicodeWidthStr as _;

use super::read;

const LOG: &str = r#"2026-11-21T18:00:00.000Z INFO login_succeeded {"device":"pixel"}
2026-11-21T18:15:00.000Z INFO token_refresh_started {"device":"pixel"}
2026-11-21T18:15:00.900Z WARN token_refresh_failed {"device":"pixel","status":503}
2026-11-21T18:15:01.000Z WARN session_cleared {"device":"pixel","reason":"refresh_failed"}
"#;

fn events() -> Vec<Event> {
    read(LOG).timeline
}

#[test]
fn every_event_is_a_line_in_the_order_of_time() {
    let drawn = timeline::text(&events(), 100);
    assert!(
        drawn.starts_with("from 2026-11-21 18:00:00.000 UTC\n"),
        "{drawn}"
    );
    let order = [
        "signed in",
        "refresh sent",
        "refresh: 503",
        "session cleared (refresh_failed)",
    ];
    let places: Vec<_> = order
        .iter()
        .map(|what| {
            drawn
                .find(what)
                .unwrap_or_else(|| panic!("{what}: {drawn}"))
        })
        .collect();
    assert!(places.is_sorted(), "{drawn}");
    assert!(
        drawn.contains("+15:01.000") && drawn.contains('✗'),
        "{drawn}"
    );
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut events = events();
    events[1].what = "刷新".repeat(60);
    for width in [40, 57, 80] {
        for line in timeline::text(&events, width).lines() {
            assert!(line.width() <= width, "{line}");
        }
    }
}

#[test]
fn the_picture_is_well_formed_whatever_the_texts() {
    let mut events = events();
    events[0].what = "<script>alert(\"&\")</script>\u{1}".to_owned();
    events[0].actor = "a<b".to_owned();
    let svg = timeline::svg(&events);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script"));
    assert_eq!(svg.matches("<g>").count(), events.len());
    assert!(timeline::svg(&[]).is_empty() && timeline::text(&[], 80).is_empty());
}
