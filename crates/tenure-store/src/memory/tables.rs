//! What each method means, on maps.

use std::collections::HashMap;

use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::keyset::KeyState;
use tenure_core::lineage::{Cut, Head, KeyHash, Revocation, Row, Step, TokenId};
use tenure_core::time::Timestamp;

use crate::device::{Decision, Device, KEEP_EXPIRED, Polled};
use crate::record::{folded, is_purgeable};
use crate::{
    AuditEvent, AuditQuery, Consent, KeyRecord, Loaded, Purged, Revoked, StoreError, Taken, Ticket,
    TicketHash, TicketKind, User, Written,
};

#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) writes: u64,
    pub(super) version: u64,
    pub(super) sessions: HashMap<LineageId, Session>,
    /// Begins and ends of sessions so far.
    pub(super) changes: u64,
    pub(super) cuts: HashMap<Subject, Cut>,
    pub(super) tickets: HashMap<(TicketKind, TicketHash), Ticket>,
    pub(super) devices: HashMap<TicketHash, Device>,
    pub(super) users: Vec<User>,
    pub(super) consents: HashMap<(Subject, ClientId), Consent>,
    pub(super) keys: Vec<KeyRecord>,
    pub(super) audit: Vec<AuditEvent>,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) row: Row,
    /// Cuts up to this one do not concern it: its user asked to stay signed in here.
    pub(super) spared_until: Timestamp,
    /// Which change its begin or end was.
    pub(super) changed: u64,
}

impl Tables {
    pub(super) fn create(&mut self, row: &Row) -> Result<(), StoreError> {
        if self.sessions.contains_key(&row.lineage) {
            return Err(StoreError::Damaged("this lineage exists".to_owned()));
        }
        self.add(row, Timestamp(0));
        Ok(())
    }

    pub(super) fn add(&mut self, row: &Row, spared_until: Timestamp) {
        self.changes += 1;
        let session = Session {
            row: row.clone(),
            spared_until,
            changed: self.changes,
        };
        self.sessions.insert(row.lineage, session);
    }

    pub(super) fn load(&self, lineage: LineageId) -> Option<Loaded> {
        let session = self.sessions.get(&lineage)?;
        let cut = self.cuts.get(&session.row.grant.subject);
        Some(Loaded {
            row: session.row.clone(),
            cut: cut.filter(|cut| cut.before > session.spared_until).copied(),
        })
    }

    pub(super) fn advance(&mut self, lineage: LineageId, step: &Step) -> Written {
        let Some(row) = self.live(lineage, step.expected) else {
            return Written::Lost;
        };
        row.head = step.head.clone();
        row.ring.clone_from(&step.ring);
        row.history_unknown_until = step.history_unknown_until;
        Written::Now
    }

    pub(super) fn note_use(&mut self, lineage: LineageId, head: TokenId, hash: KeyHash) -> Written {
        let Some(row) = self.live(lineage, head) else {
            return Written::Lost;
        };
        if row.head.uses.len() >= Head::USES || row.head.uses.contains(&hash) {
            return Written::Lost;
        }
        row.head.uses.push(hash);
        Written::Now
    }

    /// The condition of every write to a session that has not ended.
    fn live(&mut self, lineage: LineageId, head: TokenId) -> Option<&mut Row> {
        let row = &mut self.sessions.get_mut(&lineage)?.row;
        (row.head.id == head && row.revoked.is_none()).then_some(row)
    }

    pub(super) fn revoke(&mut self, lineage: LineageId, why: Revocation) -> Revoked {
        let Some(session) = self.sessions.get_mut(&lineage) else {
            return Revoked::Missing;
        };
        if let Some(before) = session.row.revoked {
            return Revoked::Before(before);
        }
        self.changes += 1;
        session.changed = self.changes;
        session.row.revoked = Some(why);
        Revoked::Now
    }

    pub(super) fn revoke_subject(
        &mut self,
        subject: &Subject,
        cut: Cut,
        keep: Option<LineageId>,
    ) -> Vec<LineageId> {
        self.version += 1;
        let last = self.cuts.entry(subject.clone()).or_insert(cut);
        if cut.before >= last.before {
            *last = cut;
        }
        let mut ended = Vec::new();
        let theirs = |session: &&mut Session| session.row.grant.subject == *subject;
        for session in self.sessions.values_mut().filter(theirs) {
            if keep != Some(session.row.lineage) && session.row.revoked.is_some() {
                continue;
            }
            self.changes += 1;
            session.changed = self.changes;
            if keep == Some(session.row.lineage) {
                session.spared_until = session.spared_until.max(cut.before);
            } else {
                session.row.revoked = Some(Revocation {
                    at: cut.before,
                    cause: cut.cause,
                });
                ended.push(session.row.lineage);
            }
        }
        ended
    }

    pub(super) fn logged_end(&self, lineage: LineageId) -> Option<Revocation> {
        self.sessions.get(&lineage)?.row.revoked
    }

    pub(super) fn sessions_of(&self, subject: &Subject) -> Vec<Row> {
        let rows = self.sessions.values().map(|session| &session.row);
        let mut theirs: Vec<Row> = rows
            .filter(|row| row.grant.subject == *subject)
            .cloned()
            .collect();
        theirs.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.lineage)));
        theirs
    }

    pub(super) fn purge(&mut self, now: Timestamp, limit: usize) -> Purged {
        let sessions = self.sessions.values().map(|session| &session.row);
        let sessions: Vec<LineageId> = sessions
            .filter(|row| is_purgeable(row, now))
            .map(|row| row.lineage)
            .take(limit)
            .collect();
        for lineage in &sessions {
            self.sessions.remove(lineage);
        }
        let tickets = self.tickets.values();
        let tickets: Vec<(TicketKind, TicketHash)> = tickets
            .filter(|ticket| now > ticket.expires_at)
            .map(|ticket| (ticket.kind, ticket.hash))
            .take(limit - sessions.len())
            .collect();
        for ticket in &tickets {
            self.tickets.remove(ticket);
        }
        let left = limit - sessions.len() - tickets.len();
        Purged {
            sessions: sessions.len() as u64,
            tickets: tickets.len() as u64 + self.purge_devices(now, left),
        }
    }

    fn purge_devices(&mut self, now: Timestamp, limit: usize) -> u64 {
        let devices = self.devices.values();
        let devices: Vec<TicketHash> = devices
            .filter(|device| now.minus(KEEP_EXPIRED) > device.expires_at)
            .map(|device| device.code)
            .take(limit)
            .collect();
        for code in &devices {
            self.devices.remove(code);
        }
        devices.len() as u64
    }

    pub(super) fn add_ticket(&mut self, ticket: &Ticket) -> Result<(), StoreError> {
        let place = (ticket.kind, ticket.hash);
        if self.tickets.contains_key(&place) {
            return Err(StoreError::Damaged("this ticket exists".to_owned()));
        }
        self.tickets.insert(place, ticket.clone());
        Ok(())
    }

    pub(super) fn ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Option<&Ticket> {
        let ticket = self.tickets.get(&(kind, hash))?;
        (now <= ticket.expires_at).then_some(ticket)
    }

    pub(super) fn take_ticket(
        &mut self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Taken {
        match self.tickets.get_mut(&(kind, hash)) {
            Some(ticket) if now <= ticket.expires_at => {
                if ticket.used_at.is_some() {
                    return Taken::Before(ticket.clone());
                }
                ticket.used_at = Some(now);
                Taken::Now(ticket.clone())
            }
            _ => Taken::Missing,
        }
    }

    pub(super) fn add_device(&mut self, device: &Device) -> Written {
        let taken = self.devices.contains_key(&device.code)
            || self
                .devices
                .values()
                .any(|other| other.user_code == device.user_code);
        if taken {
            return Written::Lost;
        }
        self.devices.insert(device.code, device.clone());
        Written::Now
    }

    pub(super) fn device(&self, user_code: TicketHash, now: Timestamp) -> Option<Device> {
        let mut devices = self.devices.values();
        let device = devices.find(|device| device.user_code == user_code)?;
        (now <= device.expires_at).then(|| device.clone())
    }

    pub(super) fn decide_device(
        &mut self,
        user_code: TicketHash,
        decision: &Decision,
        now: Timestamp,
    ) -> Written {
        let mut devices = self.devices.values_mut();
        let device = devices.find(|device| device.user_code == user_code);
        let decided = device.is_some_and(|device| device.decide(decision, now));
        Written::if_any(decided.into())
    }

    pub(super) fn poll_device(
        &mut self,
        code: TicketHash,
        client: &ClientId,
        key: Option<TicketHash>,
        now: Timestamp,
    ) -> Polled {
        let device = self.devices.get_mut(&code);
        let theirs = device.filter(|device| device.client == *client);
        theirs.map_or(Polled::Missing, |device| device.poll(key, now))
    }

    pub(super) fn add_user(&mut self, user: &User) -> Written {
        let taken = self.user(&user.subject).is_some() || self.user_by_email(&user.email).is_some();
        if taken {
            return Written::Lost;
        }
        self.version += 1;
        self.users.push(user.clone());
        Written::Now
    }

    pub(super) fn user(&self, subject: &Subject) -> Option<&User> {
        self.users.iter().find(|user| user.subject == *subject)
    }

    pub(super) fn user_by_email(&self, email: &str) -> Option<&User> {
        let email = folded(email);
        self.users.iter().find(|user| folded(&user.email) == email)
    }

    pub(super) fn users(&self, after: Option<&str>, limit: usize) -> Vec<User> {
        let after = after.map(folded);
        let mut users: Vec<(String, &User)> = self
            .users
            .iter()
            .map(|user| (folded(&user.email), user))
            .filter(|(email, _)| after.as_ref().is_none_or(|after| email > after))
            .collect();
        users.sort_by(|(one, _), (other, _)| one.cmp(other));
        let users = users.into_iter().take(limit);
        users.map(|(_, user)| user.clone()).collect()
    }

    pub(super) fn set_password(
        &mut self,
        subject: &Subject,
        expected: Option<&str>,
        hash: &str,
    ) -> Written {
        self.change_user(subject, |user| {
            let holds = expected.is_none() || user.password.as_deref() == expected;
            if holds {
                user.password = Some(hash.to_owned());
            }
            holds
        })
    }

    pub(super) fn set_disabled(&mut self, subject: &Subject, disabled: bool) -> Written {
        self.change_user(subject, |user| {
            user.disabled = disabled;
            true
        })
    }

    fn change_user(
        &mut self,
        subject: &Subject,
        change: impl FnOnce(&mut User) -> bool,
    ) -> Written {
        let user = self.users.iter_mut().find(|user| user.subject == *subject);
        if !user.is_some_and(change) {
            return Written::Lost;
        }
        self.version += 1;
        Written::Now
    }

    pub(super) fn add_key(&mut self, key: &KeyRecord) -> Written {
        let contended = matches!(key.state, KeyState::Next | KeyState::Active);
        let rival = |other: &KeyRecord| {
            let same = (other.of, &other.algorithm, other.state);
            other.id == key.id || contended && same == (key.of, &key.algorithm, key.state)
        };
        if self.keys.iter().any(rival) {
            return Written::Lost;
        }
        self.version += 1;
        self.keys.push(key.clone());
        Written::Now
    }

    pub(super) fn move_key(
        &mut self,
        id: &str,
        from: KeyState,
        to: KeyState,
        now: Timestamp,
    ) -> Written {
        let mut keys = self.keys.iter_mut();
        let Some(key) = keys.find(|key| key.id == id && key.state == from) else {
            return Written::Lost;
        };
        key.state = to;
        key.since = now;
        if to == KeyState::Retired {
            key.sealed.clear();
        }
        self.version += 1;
        Written::Now
    }

    pub(super) fn audit(&self, query: &AuditQuery) -> Vec<AuditEvent> {
        let wanted = |event: &&AuditEvent| {
            let whose = query.subject.is_none() || event.subject == query.subject;
            whose && query.since.is_none_or(|since| event.at >= since)
        };
        let mut events: Vec<AuditEvent> = self.audit.iter().filter(wanted).cloned().collect();
        events.reverse();
        events.sort_by_key(|event| std::cmp::Reverse(event.at));
        events.truncate(query.effective_limit() as usize);
        events
    }
}
