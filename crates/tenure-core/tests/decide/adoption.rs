//! Line 7: the store lost writes.

use tenure_core::lineage::{Content, Verdict};
use tenure_core::time::Timestamp;

use super::scene::{DAY, START, Scene, WINDOW, secs};

#[test]
fn line_7_a_token_ahead_of_the_row_is_adopted_and_history_is_unknown() {
    let scene = Scene::new();
    let ahead = scene.ahead_by(2);
    let Verdict::Ahead(step) = scene.present(&ahead) else {
        panic!("two generations ahead means that the store lost a write");
    };
    assert_eq!(step.expected, scene.row.head.id);
    assert_eq!((step.head.id, step.head.generation), (ahead.id, 2));
    assert_eq!(step.history_unknown_until, Some(Timestamp(START + WINDOW)));
    assert_eq!(step.successor.parent, ahead.id);
}

#[test]
fn line_7_the_parent_of_an_adopted_token_is_retired_at_that_moment() {
    let mut scene = Scene::new();
    let duplicate = scene.ahead_by(3);
    let parent = scene.ahead_by(4);
    let held = Content {
        parent: parent.id,
        ..scene.ahead_by(5)
    };
    scene.take(scene.present(&duplicate));
    scene.now = START + WINDOW + 5;
    scene.take(scene.present(&held));
    scene.now += 1;
    assert_eq!(
        scene.present(&parent),
        Verdict::Superseded {
            retry_after: secs(WINDOW - 1)
        },
        "its successor was first presented a second ago, so a duplicate of it is merely late"
    );
}

#[test]
fn line_7_the_mark_is_not_extended_while_set_and_not_set_again_for_a_day() {
    let mut scene = Scene::new();
    let mark = Some(Timestamp(START + WINDOW));
    for (generations, now, expected) in [
        (2, START, mark),
        (4, START + 59, mark),
        (6, START + 1000, mark),
        (8, START + DAY - 1, mark),
        (10, START + DAY, Some(Timestamp(START + DAY + WINDOW))),
    ] {
        scene.now = now;
        let ahead = scene.token(generations, 10 + u8::try_from(generations).unwrap());
        scene.take(scene.present(&ahead));
        assert_eq!(scene.row.history_unknown_until, expected, "at {now}");
    }
}

#[test]
fn impossible_no_loss_explains_a_million_generations() {
    let scene = Scene::new();
    let nearly = scene.token((1 << 20) - 1, 2);
    assert!(matches!(scene.present(&nearly), Verdict::Ahead(_)));
    assert_eq!(scene.present(&scene.token(1 << 20, 2)), Verdict::Impossible);
}

#[test]
fn impossible_the_last_generation_has_no_successor() {
    let mut scene = Scene::new();
    scene.row.head.generation = u32::MAX - 1;
    let head = scene.row.head.id;
    let last = Content {
        parent: head,
        ..scene.token(u32::MAX, 1)
    };
    assert_eq!(scene.present(&last), Verdict::Impossible);
    scene.row.head.generation = u32::MAX;
    scene.row.head.id = last.id;
    assert_eq!(scene.present(&last), Verdict::Impossible);
}
