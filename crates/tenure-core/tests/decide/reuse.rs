//! Lines 6 and 8: old tokens, siblings, and what claims tell.

use std::time::Duration;

use tenure_core::lineage::{Content, Evidence, KeyHash, Policy, Rules, TokenId, Verdict};

use super::scene::{START, Scene, WINDOW, advance, granted, key, secs};

#[test]
fn line_6_a_late_duplicate_is_told_how_long_to_wait_and_changes_nothing() {
    let mut scene = Scene::new();
    let (old, _) = scene.advance(100);
    for age in [0, 1, WINDOW - 1] {
        scene.now = START + 100 + age;
        let retry_after = secs(WINDOW - age);
        assert_eq!(scene.present(&old), Verdict::Superseded { retry_after });
    }
}

#[test]
fn line_6_the_window_is_the_smaller_of_a_minute_and_eight_access_lifetimes() {
    let window = |policy, lifetime| Rules::new(policy, Duration::from_secs(lifetime)).late_window;
    assert_eq!(window(Policy::RetireOnUse, 900), secs(60));
    assert_eq!(window(Policy::RetireOnUse, 5), secs(40));
    assert_eq!(window(Policy::Strict, 900), Duration::ZERO);
}

#[test]
fn line_6_after_lost_writes_no_old_token_proves_anything_for_one_window() {
    let mut scene = Scene::new();
    let lost = scene.ahead_by(2);
    let newest = scene.ahead_by(4);
    scene.take(scene.present(&newest));
    let sibling = Content {
        id: TokenId([77; 8]),
        ..newest.clone()
    };
    for forgotten in [&lost, &sibling] {
        let retry_after = secs(WINDOW);
        assert_eq!(
            scene.present(forgotten),
            Verdict::Superseded { retry_after }
        );
    }
    scene.now = START + WINDOW;
    assert_eq!(scene.present(&lost), Verdict::Reuse(Evidence::Ancestor));
    assert_eq!(scene.present(&sibling), Verdict::Reuse(Evidence::Sibling));
}

#[test]
fn line_6_a_request_that_was_overtaken_by_the_head_is_late_and_no_reuse() {
    let mut scene = Scene::new();
    scene.rules.ring = 1;
    let (old, _) = scene.advance(100);
    scene.advance(100 + WINDOW);
    scene.now -= 1;
    assert_eq!(
        scene.present(&old),
        Verdict::Superseded {
            retry_after: secs(WINDOW)
        },
        "it arrived before the head did, on a slow server, and has left the ring since"
    );
    scene.now += 1;
    assert_eq!(scene.present(&old), Verdict::Reuse(Evidence::Ancestor));
}

#[test]
fn line_6_no_sibling_of_the_head_is_excused_by_a_slow_server() {
    let mut scene = Scene::new();
    scene.advance(100);
    scene.now -= 1;
    let sibling = scene.token(1, 0x99);
    assert_eq!(scene.present(&sibling), Verdict::Reuse(Evidence::Sibling));
}

#[test]
fn line_8_an_ancestor_past_the_window_is_reuse() {
    let mut scene = Scene::new();
    let (old, _) = scene.advance(100);
    scene.now = START + 100 + WINDOW;
    assert_eq!(scene.present(&old), Verdict::Reuse(Evidence::Ancestor));
}

#[test]
fn line_8_an_ancestor_that_left_the_ring_is_still_reuse() {
    let mut scene = Scene::new();
    scene.rules.ring = 1;
    let (old, _) = scene.advance(100);
    scene.advance(200);
    scene.now = START + 201;
    assert_eq!(scene.present(&old), Verdict::Reuse(Evidence::Ancestor));
}

#[test]
fn line_8_a_sibling_of_the_head_is_reuse_at_once() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    let mine = granted(scene.present(&first));
    scene.fresh = TokenId([0xbb; 8]);
    let copied = granted(scene.present(&first));
    scene.take(scene.present(&mine));
    assert_eq!(scene.present(&copied), Verdict::Reuse(Evidence::Sibling));
}

#[test]
fn line_8_the_child_of_a_sibling_is_reuse_at_once() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    let mine = granted(scene.present(&first));
    scene.fresh = TokenId([0xbb; 8]);
    let copied = granted(scene.present(&first));
    let grandchild = granted(scene.present(&copied));
    scene.take(scene.present(&mine));
    assert_eq!(
        scene.present(&grandchild),
        Verdict::Reuse(Evidence::Sibling)
    );
}

#[test]
fn claims_an_unclaimed_use_of_the_head_is_reported_and_by_policy_revoked() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    let child = granted(scene.present(&first));
    let (mine, thiefs) = (key(1).hash(), key(2).hash());
    for (uses, claims, reported) in [
        (vec![mine], Some(vec![mine]), false),
        (vec![], Some(vec![mine]), false),
        (vec![mine, thiefs], Some(vec![mine]), true),
        (vec![mine, KeyHash::NONE], Some(vec![mine]), true),
        (vec![thiefs], Some(vec![]), true),
        (vec![mine, thiefs], None, false),
    ] {
        scene.row.head.uses.clone_from(&uses);
        scene.claims.clone_from(&claims);
        scene.rules.revoke_on_parallel_use = false;
        let step = advance(scene.present(&child));
        assert_eq!(step.parallel_use, reported, "{uses:?} {claims:?}");
        scene.rules.revoke_on_parallel_use = true;
        let revoked = scene.present(&child) == Verdict::Reuse(Evidence::ParallelUse);
        assert_eq!(revoked, reported, "{uses:?} {claims:?}");
    }
}
