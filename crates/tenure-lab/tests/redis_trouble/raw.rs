//! What is in Redis, read beside every Tenure server.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tenure_lab::crowd::User;
use tenure_lab::redis::{Hash, Redis};

use crate::crowd::Crowd;

/// What acknowledged writes are lacking.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lacking {
    /// Sign-ins whose row is not there.
    pub(crate) sessions: usize,
    /// Sign-outs of which the row knows nothing, or that have no row.
    pub(crate) revocations: usize,
    /// Steps that a row is behind its holder.
    pub(crate) rotations: u32,
}

/// Compares the rows on `nodes` with what `crowd` was told. A row is a hash named by its session: `h`
/// has the generation of the head in bytes 8 to 12, `e` is the end.
pub(crate) fn lacking(nodes: &[&Redis], crowd: &Crowd) -> Lacking {
    let rows = rows(nodes);
    let mut lacking = Lacking::default();
    for user in &crowd.here {
        let (lineage, generation) = presented(user);
        match rows.get(&lineage) {
            None => lacking.sessions += 1,
            Some(row) => {
                // The token was issued by a presentation of its parent, which became the head.
                let head = u32::from_be_bytes(row["h"][8..12].try_into().unwrap());
                lacking.rotations += generation.saturating_sub(1).saturating_sub(head);
            }
        }
    }
    let knows = |row: &Hash| row.contains_key("e");
    let unaware = |user: &&User| !rows.get(&presented(user).0).is_some_and(knows);
    lacking.revocations = crowd.gone.iter().filter(unaware).count();
    lacking
}

/// Whether the row of this user's session is among them.
pub(crate) fn has(rows: &BTreeMap<String, Hash>, user: &User) -> bool {
    rows.contains_key(&presented(user).0)
}

/// The rows by their session's id.
pub(crate) fn rows(nodes: &[&Redis]) -> BTreeMap<String, Hash> {
    let mut rows = BTreeMap::new();
    for node in nodes {
        for key in node.keys("{tenure:").unwrap() {
            if let Some((_, lineage)) = key.split_once("}:s:") {
                rows.insert(lineage.to_owned(), node.hash(&key).unwrap());
            }
        }
    }
    rows
}

/// The session's id in 32 hexadecimal digits and the generation: bytes 4 to 20 and 20 to 24 of the
/// user's refresh token.
fn presented(user: &User) -> (String, u32) {
    let token = user.token.strip_prefix("tnr1_").unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(&token[..32]).unwrap();
    let lineage = bytes[4..20].iter().map(|byte| format!("{byte:02x}"));
    let generation = bytes[20..24].try_into().unwrap();
    (lineage.collect(), u32::from_be_bytes(generation))
}
