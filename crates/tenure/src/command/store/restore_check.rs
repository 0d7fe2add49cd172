//! `tenure store restore-check`: what has a restored store forgotten?

use anyhow::anyhow;
use tenure_core::time::Timestamp;
use tenure_server::config::{self, Inputs, Purpose};
use tenure_store::{RestoreReport, restore_check};

use crate::cli::Place;
use crate::failure::Failure;
use crate::{print, time};

/// Prints what opening the store will carry out, and fails where something is lost for good. It
/// writes nothing.
pub(crate) async fn check(place: Place) -> Result<(), Failure> {
    let config = config::load(&Inputs::of_process(place.flags(), Purpose::Beside))?.config;
    let report = restore_check(&config.store).await?;
    for (name, value) in facts(&report) {
        print::line(format_args!("{name:22} {value}"))?;
    }
    let losses = losses(&report);
    if losses.is_empty() {
        print::line(if report.is_complete() {
            "the store has everything that its session log has"
        } else {
            "tenure serve carries this out before it serves: nobody is signed out, and no sign-out is undone"
        })?;
        return Ok(());
    }
    Err(anyhow!(losses.join("\n")).into())
}

fn facts(report: &RestoreReport) -> Vec<(&'static str, String)> {
    let date = |at: Option<Timestamp>| at.map_or_else(|| "none".to_owned(), time::show);
    let behind = std::time::Duration::from_secs(report.seconds_behind());
    let log = report.log.as_deref().unwrap_or("none");
    vec![
        ("store", report.database.clone()),
        ("session log", log.to_owned()),
        ("newest in the store", date(report.database_newest)),
        ("newest in the log", date(report.log_newest)),
        ("behind by", time::span(behind)),
        ("entries to carry out", report.entries.to_string()),
        ("sign-ins missing", report.sessions_missing.to_string()),
        ("sign-outs missing", report.ends_missing.to_string()),
        ("accounts to sign out", report.cuts_missing.to_string()),
        ("deletions missing", report.deletions_missing.to_string()),
    ]
}

fn losses(report: &RestoreReport) -> Vec<String> {
    if report.log.is_none() {
        let lost = "there is no session log beside this store: sign-ins and sign-outs after the backup are lost; bring the log back to the place of store.revocation_log, or accept that";
        return vec![lost.to_owned()];
    }
    let lost = [
        (
            report.sessions_lost,
            "sign-ins are in the log of an older program, which knows too little of them: their users have to sign in again",
        ),
        (
            report.torn,
            "entries of the log do not read: what they said is lost",
        ),
    ];
    let lost = lost.into_iter().filter(|(count, _)| *count > 0);
    let mut losses: Vec<_> = lost
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if !report.log_continues {
        losses.push("the log does not hold what this store was last written with: it is another one, or has lost its end; all of it is carried out".to_owned());
    }
    losses
}
