//! A process is killed at each step of a sign-out: either the session is still there to be signed
//! out of, or the service will be told. Never a live session that nobody remembers.

use tempfile::TempDir;
use tenure_lab::deployment::Deployment;
use tenure_lab::disk::FaultyDisk;

use crate::fleet::Fleet;
use crate::service;

const PLACES: [&str; 9] = [
    "sign_out.mid_write",
    "sign_out.before_fsync",
    "sign_out.after_fsync",
    "sign_out.before_send",
    "sign_out.after_send",
    "sign_out.after_receive",
    "revoked.mid_write",
    "revoked.before_fsync",
    "revoked.after_fsync",
];

/// What the next process makes of it.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// The sign-out had not begun: the session is there.
    StillSignedIn,
    /// Signed out, and the service knows.
    Revoked,
    /// Signed out, and the service does not know.
    Forgotten,
}

/// Signs in, dies at `place` of the sign-out, and opens the vault again.
async fn killed_at(
    place: &str,
    deployment: &Deployment,
    fleet: &mut Fleet,
    power: Option<&FaultyDisk>,
) -> Outcome {
    fleet.sign_in().await;
    let token = fleet.kept().unwrap();
    let mut victim = fleet.children.remove(0);
    victim.order(&format!("hold {place}")).await;
    victim.order("sign-out").await;
    assert_eq!(victim.says("held").await, place);
    victim.kill().await;
    power.map(FaultyDisk::power_cut_losing_all);

    fleet.join().await;
    let next = &mut fleet.children[0];
    next.order("settle").await;
    let state = next.says("settled").await;
    let signed_out = state.as_str().unwrap().starts_with("SignedOut");
    match (signed_out, deployment.is_active(&token).await.unwrap()) {
        (false, true) => Outcome::StillSignedIn,
        (true, false) => Outcome::Revoked,
        (true, true) => Outcome::Forgotten,
        (false, false) => panic!("{place}: revoked, and nobody was told: {state}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_of_a_sign_out_loses_no_revocation() {
    let (deployment, directory) = (service::serve().await, TempDir::new().unwrap());
    let mut fleet = Fleet::signed_in(&deployment.issuer(), directory.path(), 1).await;
    for place in PLACES {
        let outcome = killed_at(place, &deployment, &mut fleet, None).await;
        let expected = match place {
            "sign_out.mid_write" => Outcome::StillSignedIn,
            _ => Outcome::Revoked,
        };
        assert_eq!(outcome, expected, "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_at_any_step_of_a_sign_out_loses_no_revocation() {
    let (deployment, directory) = (service::serve().await, TempDir::new().unwrap());
    let Some(disk) = FaultyDisk::mount_or_skip(directory.path(), 0).unwrap() else {
        tenure_lab::skip("no FUSE, so no power cuts under a sign-out").unwrap();
        return;
    };
    let vault = disk.path().join("vault");
    let mut fleet = Fleet::signed_in(&deployment.issuer(), &vault, 1).await;
    for place in PLACES {
        let outcome = killed_at(place, &deployment, &mut fleet, Some(&disk)).await;
        let expected = match place {
            "sign_out.mid_write" | "sign_out.before_fsync" => Outcome::StillSignedIn,
            _ => Outcome::Revoked,
        };
        assert_eq!(outcome, expected, "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn control_without_an_outbox_the_same_kill_leaves_a_live_session_that_nobody_remembers() {
    let (deployment, directory) = (service::serve().await, TempDir::new().unwrap());
    let (issuer, vault) = (deployment.issuer(), directory.path());
    let mut fleet = Fleet::without(&issuer, vault, 1, Some("without-outbox")).await;
    let outcome = killed_at("sign_out.before_send", &deployment, &mut fleet, None).await;
    assert_eq!(outcome, Outcome::Forgotten);
}
