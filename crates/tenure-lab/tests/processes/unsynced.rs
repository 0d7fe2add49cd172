//! Two processes in a row are killed in the middle of a write, and then the power goes: of what
//! neither had synced, the disk keeps some pages and loses others.

use tempfile::TempDir;
use tenure_lab::disk::FaultyDisk;

use crate::fleet::Fleet;
use crate::strict::Strict;

/// What survives a power cut depends on the seed; some of these keep the half of the second write
/// and lose the first, which is the case that matters.
const SEEDS: u64 = 12;

/// The owner of the lock, the first process, is killed at `place`.
async fn killed_at(place: &str, fleet: &mut Fleet) {
    fleet.expire().await;
    let mut owner = fleet.children.remove(0);
    owner.order(&format!("hold {place}")).await;
    owner.ask(1).await;
    assert_eq!(owner.says("held").await, place);
    owner.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_not_synced_is_not_all_that_the_next_write_leaves() {
    for seed in 0..SEEDS {
        let directory = TempDir::new().unwrap();
        let Some(disk) = FaultyDisk::mount_or_skip(directory.path(), seed).unwrap() else {
            tenure_lab::skip("no FUSE, so no power cuts under unsynced writes").unwrap();
            return;
        };
        let (strict, vault) = (Strict::start().await, disk.path().join("vault"));
        let mut fleet = Fleet::signed_in(&strict.url, &vault, 2).await;
        killed_at("keep.before_fsync", &mut fleet).await;
        killed_at("begin.mid_write", &mut fleet).await;
        disk.power_cut();
        fleet.join().await;
        fleet.ask(1).await;
        let answer = fleet.children[0].answer().await;
        assert!(answer.is_ok(), "seed {seed}: {answer:?}");
    }
}
