//! How to know that it is over.

use crate::probe::Probe;
use crate::{Diagnosis, Evidence, Verdict};

/// One line for each thing to see before the incident is closed.
pub(super) fn items(diagnosis: &Diagnosis, evidence: &Evidence) -> Vec<String> {
    let mut items = Vec::new();
    let standing = diagnosis.ranked.iter();
    let standing = standing.filter(|ranked| ranked.verdict >= Verdict::Likely);
    for ranked in standing {
        let cause = ranked.cause;
        items.push(format!("{} is fixed: {}", cause.id, cause.fix));
    }
    for clue in &diagnosis.symptoms {
        items.push(format!("No longer so: {}", clue.says));
    }
    if evidence.sent(Probe::Client) {
        items.push("The client's own request is answered with 2xx, five times in a row".to_owned());
        items.push(
            "Without a token, and with an altered one, the same request is still refused"
                .to_owned(),
        );
    }
    if !evidence.logs.files.is_empty() {
        items.push("The logs of an hour after the fix have none of the patterns above".to_owned());
    }
    items.push("tenure doctor with the same inputs ends with exit code 0".to_owned());
    items.push(
        "A user who was turned away is signed in, and stays so past one token lifetime".to_owned(),
    );
    items
}
