//! A user who may not read the vault.
//!
//! The test runs itself again as that user: with orders in its environment it obeys them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tenure_client::{Found, VaultFault};
use tenure_lab::skip;

use crate::kinds::{KINDS, vault};
use crate::suite::changes::{sign_in, token};

const NOBODY: u32 = 65_534;

#[test]
fn lost_permission_is_told_as_such_and_costs_no_record() {
    if let Ok(directory) = std::env::var("TENURE_TEST_VAULT") {
        for kind in KINDS {
            is_refused(kind, directory.as_ref());
        }
        return;
    }
    if !rustix::process::geteuid().is_root() {
        skip("vaults: becoming another user takes root").unwrap();
        return;
    }
    let directory = TempDir::new().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for kind in KINDS {
        let home = directory.path().join(kind);
        vault(kind, &home).update(&sign_in(1)).unwrap();
    }
    // A copy, because another user may not enter the directories above this program.
    let program = directory.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let status = Command::new(program)
        .args([
            "--exact",
            "permission::lost_permission_is_told_as_such_and_costs_no_record",
        ])
        .env("TENURE_TEST_VAULT", directory.path())
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/")
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    for kind in KINDS {
        let found = vault(kind, &directory.path().join(kind)).load().unwrap();
        let Found::Record(record) = found else {
            panic!("{kind}: {found:?}");
        };
        assert_eq!(token(&record), "r1");
    }
}

fn is_refused(kind: &str, directory: &std::path::Path) {
    assert!(!rustix::process::geteuid().is_root());
    let vault = vault(kind, &directory.join(kind));
    let faults = [
        vault.load().map(drop).unwrap_err(),
        vault.update(&sign_in(2)).map(drop).unwrap_err(),
        vault.lock().map(drop).unwrap_err(),
        vault.try_lock().map(drop).unwrap_err(),
    ];
    for fault in faults {
        let denied = |text: &str| text.contains("ermi"); // EACCES or EPERM
        let told = matches!(&fault, VaultFault::Unavailable(text) if denied(text));
        assert!(told, "{kind}: {fault:?}");
    }
}
