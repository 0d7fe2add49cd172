//! The passes: each carries over what the target does not have as the source has it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tenure_core::id::LineageId;
use tenure_core::lineage::{EndCause, Revocation};
use tenure_core::time::Timestamp;
use tenure_store::{Cursor, KeyUse, Page, Part, Record, Store, StoreError};

use super::known::{Known, Print};
use super::progress::Progress;

/// Records in one page: an import is one transaction, which others wait for on SQLite.
const PAGE: u32 = 2000;

/// A source, a target, and what is known of the target.
#[derive(Debug)]
pub(super) struct Mover {
    pub(super) from: Arc<dyn Store>,
    pub(super) to: Arc<dyn Store>,
    known: BTreeMap<Part, Known>,
    /// Where the session log of the source stood when the last pass began.
    since: Option<Cursor>,
    /// Where the last page of the audit trail began.
    audit_from: Option<Cursor>,
    version: Option<u64>,
    /// What the last pass had to send, to be read back.
    sent: Option<Sent>,
}

/// What was sent: no records, which may be millions of sessions.
#[derive(Debug, Default)]
struct Sent {
    sessions: Vec<LineageId>,
    others: Vec<Print>,
}

/// What a comparison of one part found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) part: Part,
    pub(super) source: usize,
    pub(super) target: usize,
    /// Records that are not the same in both.
    pub(super) differing: u64,
    /// Sessions of the target that were over, and that the source has deleted since.
    pub(super) swept: u64,
}

/// What a pass over one part saw.
#[derive(Debug, Default)]
struct Seen {
    names: HashSet<u64>,
    sent: u64,
}

impl Mover {
    pub(super) fn new(from: Arc<dyn Store>, to: Arc<dyn Store>) -> Self {
        Self {
            from,
            to,
            known: BTreeMap::new(),
            since: None,
            audit_from: None,
            version: None,
            sent: None,
        }
    }

    /// Everything but the keys, from the beginning; what the target has already is not sent again, and
    /// what it has in the end is read back.
    pub(super) async fn first(&mut self, progress: &Progress) -> Result<(), StoreError> {
        self.since = self.from.changes(None, PAGE).await?.next;
        let version = self.from.version().await?;
        for part in parts_before_the_keys() {
            self.learn(part).await?;
            progress.begin("copied", part, self.from.count(part).await?);
            self.send(part, None, progress).await?;
            progress.done();
            self.learn(part).await?;
        }
        self.version = Some(version);
        Ok(())
    }

    /// What has changed since the last pass; answers how many records.
    pub(super) async fn follow(&mut self, progress: &Progress) -> Result<u64, StoreError> {
        let version = self.from.version().await?;
        let mut sent = 0;
        for part in [Part::Users, Part::Cuts] {
            if self.version != Some(version) {
                sent += self.send(part, None, progress).await?.sent;
            }
        }
        self.version = Some(version);
        sent += self.send(Part::Consents, None, progress).await?.sent;
        sent += self.follow_sessions(progress).await?;
        for part in [Part::Tickets, Part::Devices] {
            sent += self.send(part, None, progress).await?.sent;
        }
        let audit = self.audit_from.clone();
        Ok(sent + self.send(Part::Audit, audit, progress).await?.sent)
    }

    async fn follow_sessions(&mut self, progress: &Progress) -> Result<u64, StoreError> {
        let mut sent = 0;
        while let Some(since) = self.since.clone() {
            let changes = self.from.changes(Some(&since), PAGE).await?;
            sent += self.take(Part::Sessions, &changes.records).await?;
            self.since = changes.next;
            if !changes.more {
                break;
            }
        }
        if self.since.is_none() {
            self.since = self.from.changes(None, PAGE).await?.next;
            sent += self.send(Part::Sessions, None, progress).await?.sent;
        }
        Ok(sent)
    }

    /// Carries over what differs from what was read from the target, reads that back, and says how
    /// many records still are not the same.
    pub(super) async fn compare(
        &mut self,
        part: Part,
        now: Timestamp,
        progress: &Progress,
    ) -> Result<Compared, StoreError> {
        progress.begin("compared", part, self.from.count(part).await?);
        self.sent = Some(Sent::default());
        let seen = self.send(part, None, progress).await?;
        progress.done();
        let sent = self.sent.take().unwrap_or_default();
        let mut compared = Compared {
            part,
            source: seen.names.len(),
            target: 0,
            differing: self.unlike(part, &sent).await?,
            swept: 0,
        };
        if self.known(part).has_more_than(&seen.names) {
            for record in self.extras(part, &seen.names).await? {
                let is_swept = match &record {
                    Record::Session(loaded) => {
                        is_over(loaded, now) || self.end_in_target(loaded.row.lineage, now).await?
                    }
                    Record::Ticket(_) | Record::Device(_) => {
                        self.drop_from_target(&record).await?;
                        continue;
                    }
                    _ => false,
                };
                compared.swept += u64::from(is_swept);
                compared.differing += u64::from(!is_swept);
            }
        }
        compared.target = match self.to.count(part).await? {
            Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
            None => self.known(part).len(),
        };
        Ok(compared)
    }

    /// How many of the records that were sent do not read back as they are in the source.
    async fn unlike(&mut self, part: Part, sent: &Sent) -> Result<u64, StoreError> {
        let mut unlike = 0;
        for &lineage in &sent.sessions {
            let there = self.to.load(lineage).await?;
            let there = there.map(|loaded| Record::Session(Box::new(loaded)));
            let known = self.known(part);
            unlike += u64::from(!there.is_some_and(|there| known.has(&there)));
        }
        if !sent.others.is_empty() {
            self.learn(part).await?;
            let known = self.known(part);
            unlike += sent.others.iter().filter(|one| !known.holds(**one)).count() as u64;
        }
        Ok(unlike)
    }

    /// Reads what the target has.
    pub(super) async fn learn(&mut self, part: Part) -> Result<(), StoreError> {
        let mut known = self.known.remove(&part).unwrap_or_default().emptied();
        let mut from = None;
        loop {
            let page = self.to.export(part, from.as_ref(), PAGE).await?;
            for record in &page.records {
                known.note(record);
            }
            match page.next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
        self.known.insert(part, known);
        Ok(())
    }

    /// Accounts that only the target has: then it is not this deployment's.
    pub(super) async fn foreign_accounts(&mut self) -> Result<usize, StoreError> {
        let mut mine = HashSet::new();
        let mut from = None;
        self.learn(Part::Users).await?;
        if self.known(Part::Users).len() == 0 {
            return Ok(0);
        }
        loop {
            let page = self.from.export(Part::Users, from.as_ref(), PAGE).await?;
            mine.extend(
                page.records
                    .iter()
                    .map(|user| self.known(Part::Users).name(user)),
            );
            match page.next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
        Ok(self.extras(Part::Users, &mine).await?.len())
    }

    fn known(&mut self, part: Part) -> &mut Known {
        self.known.entry(part).or_default()
    }

    /// Sends a part, page by page; the next page is read while one is written.
    async fn send(
        &mut self,
        part: Part,
        from: Option<Cursor>,
        progress: &Progress,
    ) -> Result<Seen, StoreError> {
        let source = Arc::clone(&self.from);
        let mut seen = Seen::default();
        let mut begins = from;
        let mut page = source.export(part, begins.as_ref(), PAGE).await?;
        loop {
            let names = page
                .records
                .iter()
                .map(|record| self.known(part).name(record));
            seen.names.extend(names.collect::<Vec<_>>());
            let next = async {
                match &page.next {
                    Some(next) => source.export(part, Some(next), PAGE).await.map(Some),
                    None => Ok(None),
                }
            };
            let (sent, next): (_, Result<Option<Page>, _>) =
                tokio::join!(self.take(part, &page.records), next);
            seen.sent += sent?;
            progress.add(page.records.len());
            match next? {
                Some(following) => {
                    begins = page.next;
                    page = following;
                }
                None => break,
            }
        }
        if part == Part::Audit {
            self.audit_from = begins;
        }
        Ok(seen)
    }

    /// Imports those records that the target is not known to have.
    async fn take(&mut self, part: Part, records: &[Record]) -> Result<u64, StoreError> {
        let known = self.known(part);
        let news: Vec<Record> = records
            .iter()
            .filter(|record| !known.has(record))
            .cloned()
            .collect();
        if news.is_empty() {
            return Ok(0);
        }
        self.to.import(&news).await?;
        let known = self.known(part);
        for record in &news {
            known.note(record);
        }
        let count = news.len() as u64;
        if let Some(sent) = &mut self.sent {
            for record in &news {
                match record {
                    Record::Session(loaded) => sent.sessions.push(loaded.row.lineage),
                    other => sent
                        .others
                        .push(self.known.entry(part).or_default().print(other)),
                }
            }
        }
        Ok(count)
    }

    /// Records of the target that are not among `names`.
    async fn extras(
        &mut self,
        part: Part,
        names: &HashSet<u64>,
    ) -> Result<Vec<Record>, StoreError> {
        let mut extras = Vec::new();
        let mut from = None;
        loop {
            let page = self.to.export(part, from.as_ref(), PAGE).await?;
            let known = self.known(part);
            let others = page.records.into_iter();
            extras.extend(others.filter(|record| !names.contains(&known.name(record))));
            match page.next {
                Some(next) => from = Some(next),
                None => return Ok(extras),
            }
        }
    }

    /// Ends a session of the target that ended in the source and was deleted there since a copy that
    /// did not complete. False where that is not sure: the source has it, or somebody who signed in
    /// on the target does.
    async fn end_in_target(&self, lineage: LineageId, now: Timestamp) -> Result<bool, StoreError> {
        if self.from.load(lineage).await?.is_some() {
            return Ok(false);
        }
        let end = match self.from.logged_end(lineage).await? {
            Some(end) => end,
            // No server has run on a store without keys. Whoever presents it learns what the source
            // would say.
            None if self.to.keys(KeyUse::Sign).await?.is_empty() => Revocation {
                at: now,
                cause: EndCause::Unknown,
            },
            None => return Ok(false),
        };
        self.to.revoke(lineage, end).await?;
        Ok(true)
    }

    /// A code that was dropped because its user changed the password must not live on.
    async fn drop_from_target(&mut self, record: &Record) -> Result<(), StoreError> {
        self.known(record.part()).forget(record);
        match record {
            Record::Ticket(ticket) => self.to.drop_ticket(ticket.kind, ticket.hash).await,
            Record::Device(device) => self.to.drop_device(device.code).await,
            _ => Ok(()),
        }
    }
}

pub(super) fn parts_before_the_keys() -> impl Iterator<Item = Part> {
    Part::ALL.into_iter().filter(|part| *part != Part::Keys)
}

/// Whether the source may have deleted it: nobody can need it any more.
fn is_over(loaded: &tenure_store::Loaded, now: Timestamp) -> bool {
    let row = &loaded.row;
    row.revoked.is_some()
        || now > row.expires_absolute
        || now > row.head.since + row.idle + row.idle
}

#[cfg(test)]
mod tests;
