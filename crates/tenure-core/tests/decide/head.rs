//! Lines 4 and 5: the head, its child, the ring guard; keys, policies and the clock.

use tenure_core::lineage::{
    Content, Evidence, Head, KeyHash, Policy, Retired, RowSecret, Rules, TokenId, Verdict,
};
use tenure_core::time::Timestamp;

use super::scene::{START, Scene, WINDOW, advance, granted, key, noted, secs};

#[test]
fn line_4_the_head_gets_a_different_successor_each_time_and_writes_nothing() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    for later in [0, 2, 12 * 3600] {
        scene.now = START + later;
        scene.fresh = TokenId([later.to_be_bytes()[6] + 9; 8]);
        let Verdict::Again { successor, note } = scene.present(&first) else {
            panic!("the head is never turned away");
        };
        assert_eq!(note, None);
        assert_eq!(
            successor,
            Content {
                lineage: first.lineage,
                generation: 1,
                id: scene.fresh,
                parent: first.id,
                issued_at: Timestamp(scene.now),
                made_by: KeyHash::NONE,
            }
        );
    }
}

#[test]
fn line_4_notes_each_key_once_up_to_four() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    for number in 0..Head::USES {
        scene.key = Some(key(number));
        let note = noted(&scene.present(&first));
        assert_eq!(note, Some(key(number).hash()));
        scene.row.head.uses.extend(note);
        assert_eq!(
            noted(&scene.present(&first)),
            None,
            "the same attempt is noted once"
        );
    }
    scene.key = Some(key(99));
    assert_eq!(noted(&scene.present(&first)), None, "the row does not grow");
}

#[test]
fn line_4_notes_a_use_without_a_key_only_beside_uses_with_one() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    assert_eq!(noted(&scene.present(&first)), None);
    scene.row.head.uses = vec![key(1).hash()];
    assert_eq!(noted(&scene.present(&first)), Some(KeyHash::NONE));
    scene.row.head.uses.push(KeyHash::NONE);
    assert_eq!(noted(&scene.present(&first)), None);
}

#[test]
fn line_5_a_child_of_the_head_takes_its_place_and_the_head_goes_into_the_ring() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    let child = granted(scene.present(&first));
    scene.now += 5;
    scene.key = Some(key(1));
    let step = advance(scene.present(&child));
    assert_eq!(step.expected, first.id);
    assert_eq!(
        step.head,
        Head {
            id: child.id,
            generation: 1,
            since: Timestamp(START + 5),
            uses: vec![key(1).hash()],
        }
    );
    let retired = Retired {
        id: first.id,
        at: Timestamp(START + 5),
    };
    assert_eq!(step.ring, [retired]);
    assert_eq!(step.history_unknown_until, None);
    assert_eq!(
        (step.successor.generation, step.successor.parent),
        (2, child.id)
    );
    assert!(!step.parallel_use);
}

#[test]
fn line_5_needs_the_next_generation_beside_the_right_parent() {
    let scene = Scene::new();
    let first = scene.row.first_token();
    let mut child = granted(scene.present(&first));
    child.generation = 0;
    assert_eq!(
        scene.present(&child),
        Verdict::Reuse(Evidence::Sibling),
        "an authentic token with an impossible generation is no child"
    );
}

#[test]
fn ring_guard_a_full_ring_of_young_entries_makes_the_client_wait_for_the_oldest() {
    let mut scene = Scene::new();
    scene.rules.ring = 2;
    scene.advance(10);
    let (_, newest) = scene.advance(20);
    scene.now = START + 30;
    assert_eq!(
        scene.present(&newest),
        Verdict::RingFull {
            retry_after: secs(WINDOW - 20)
        }
    );
    scene.now = START + 10 + WINDOW;
    let step = advance(scene.present(&newest));
    assert_eq!(step.ring.len(), 2, "the ring does not grow");
    assert_eq!(step.ring[0].at, Timestamp(START + 20));
}

#[test]
fn ring_guard_also_holds_for_a_token_that_is_ahead() {
    let mut scene = Scene::new();
    scene.rules.ring = 2;
    scene.advance(1);
    scene.advance(2);
    let ahead = scene.ahead_by(2);
    assert!(matches!(scene.present(&ahead), Verdict::RingFull { .. }));
    scene.now = START + 2 + WINDOW;
    assert!(matches!(scene.present(&ahead), Verdict::Ahead(_)));
}

#[test]
fn ring_guard_survives_a_ring_that_is_configured_away() {
    let mut scene = Scene::new();
    scene.rules.ring = 0;
    let (_, newest) = scene.advance(1);
    assert!(matches!(scene.present(&newest), Verdict::RingFull { .. }));
}

#[test]
fn idempotency_the_same_token_and_key_get_the_same_successor() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    scene.key = Some(key(1));
    let before = granted(scene.present(&first));
    scene.now += 3600;
    scene.fresh = TokenId([0xcc; 8]);
    let retried = granted(scene.present(&first));
    assert_eq!(retried.id, before.id);
    assert_eq!(retried.made_by, key(1).hash());
    scene.key = Some(key(2));
    assert_ne!(granted(scene.present(&first)).id, before.id);
}

#[test]
fn idempotency_the_same_key_gets_another_successor_of_another_token_or_row() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    scene.key = Some(key(1));
    let before = granted(scene.present(&first)).id;
    scene.row.secret = RowSecret([8; 16]);
    assert_ne!(
        granted(scene.present(&first)).id,
        before,
        "it is derived with the secret of the row"
    );
    scene.row.secret = Scene::new().row.secret;
    scene.row.head.id = TokenId([9; 8]);
    assert_ne!(granted(scene.present(&scene.row.first_token())).id, before);
}

#[test]
fn idempotency_a_constant_key_is_ignored_so_that_two_holders_cannot_converge() {
    let mut scene = Scene::new();
    scene.key = Some(key(1));
    let child = granted(scene.present(&scene.row.first_token()));
    let successors = [0xd1, 0xd2].map(|fresh| {
        scene.fresh = TokenId([fresh; 8]);
        let step = advance(scene.present(&child));
        assert_eq!(step.head.uses, [], "an ignored key is no use to claim");
        step.successor
    });
    assert_ne!(successors[0].id, successors[1].id);
    assert_eq!(successors[0].made_by, KeyHash::NONE);
}

#[test]
fn clamp_a_clock_that_went_back_neither_lengthens_the_window_nor_dates_a_step_back() {
    let mut scene = Scene::new();
    let (old, newest) = scene.advance(100);
    scene.now = START - 500;
    assert_eq!(
        scene.present(&old),
        Verdict::Superseded {
            retry_after: secs(WINDOW)
        },
        "not longer than the window"
    );
    let step = advance(scene.present(&newest));
    assert_eq!(step.head.since, Timestamp(START + 100));
    assert_eq!(step.ring.last().unwrap().at, Timestamp(START + 100));
    assert_eq!(step.successor.issued_at, Timestamp(START + 100));
}

#[test]
fn clamp_holds_for_the_head_alone_and_for_the_ring_alone() {
    let mut scene = Scene::new();
    scene.rules.policy = Policy::None;
    let first = scene.row.first_token();
    scene.row.head.since = Timestamp(START + 50);
    assert_eq!(
        advance(scene.present(&first)).head.since,
        Timestamp(START + 50)
    );
    let (id, at) = (TokenId([9; 8]), Timestamp(START + 70));
    scene.row.ring.push(Retired { id, at });
    assert_eq!(advance(scene.present(&first)).head.since, at);
}

#[test]
fn policy_strict_retires_at_issue_so_a_second_presentation_is_reuse() {
    let mut scene = Scene::new();
    scene.rules = Rules::new(Policy::Strict, secs(900));
    let first = scene.row.first_token();
    let step = advance(scene.present(&first));
    assert_eq!(step.expected, first.id);
    assert_eq!(step.head.id, step.successor.id);
    assert_eq!(step.head.generation, 1);
    let successor = step.successor.clone();
    scene.take(Verdict::Advance(step));
    assert_eq!(scene.present(&first), Verdict::Reuse(Evidence::Ancestor));
    assert!(matches!(scene.present(&successor), Verdict::Advance(_)));
}

#[test]
fn policy_none_gives_the_same_token_again_and_only_the_idle_clock_starts_anew() {
    let mut scene = Scene::new();
    scene.rules = Rules::new(Policy::None, secs(900));
    let first = scene.row.first_token();
    scene.now += 100;
    let step = advance(scene.present(&first));
    assert_eq!(
        step.successor,
        Content {
            issued_at: Timestamp(START + 100),
            ..first.clone()
        }
    );
    assert_eq!(
        step.head,
        Head {
            since: Timestamp(START + 100),
            ..scene.row.head.clone()
        }
    );
    assert_eq!(step.ring, []);
}
