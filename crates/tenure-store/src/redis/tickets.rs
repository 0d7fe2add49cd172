//! Tickets: authorization codes, magic links, browser sign-ins.

use tenure_core::time::Timestamp;

use super::error::damaged;
use super::inner::Inner;
use super::keys::Bucket;
use super::records::{ATTEMPTS, Stored, contended};
use crate::{StoreError, Taken, Ticket, TicketHash, TicketKind};

impl Inner {
    pub(super) async fn add_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        let stored = Stored::Ticket {
            subject: ticket.subject.clone(),
            expires_at: ticket.expires_at,
            used_at: ticket.used_at,
            payload: ticket.payload.clone(),
        };
        let key = self.keys.ticket(ticket.kind, &ticket.hash);
        if self.add(&ticket.hash, &key, &stored).await? {
            return Ok(());
        }
        Err(damaged("this ticket exists"))
    }

    pub(super) async fn ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Ticket>, StoreError> {
        let read = self.find(&self.keys.ticket(kind, &hash)).await?;
        let ticket = read.and_then(|read| ticket(kind, hash, read.stored));
        Ok(ticket.filter(|ticket| now <= ticket.expires_at))
    }

    pub(super) async fn take_ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Taken, StoreError> {
        let key = self.keys.ticket(kind, &hash);
        for _ in 0..ATTEMPTS {
            let Some(read) = self.find(&key).await? else {
                return Ok(Taken::Missing);
            };
            match ticket(kind, hash, read.stored.clone()) {
                Some(found) if now <= found.expires_at && found.used_at.is_some() => {
                    return Ok(Taken::Before(found));
                }
                Some(mut found) if now <= found.expires_at => {
                    let mut wanted = read.stored.clone();
                    found.used_at = Some(now);
                    if let Stored::Ticket { used_at, .. } = &mut wanted {
                        *used_at = Some(now);
                    }
                    if self.replace(&hash, &key, &read, &wanted).await? {
                        return Ok(Taken::Now(found));
                    }
                }
                _ => return Ok(Taken::Missing),
            }
        }
        Err(contended())
    }

    pub(super) async fn drop_ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
    ) -> Result<(), StoreError> {
        let key = self.keys.ticket(kind, &hash);
        self.drop_record(Bucket::of(&hash), &key).await?;
        Ok(())
    }
    /// Takes the use of a ticket over that has none here; false where it has.
    pub(super) async fn use_ticket(&self, used: &Ticket) -> Result<bool, StoreError> {
        let key = self.keys.ticket(used.kind, &used.hash);
        for _ in 0..ATTEMPTS {
            let Some(read) = self.find(&key).await? else {
                return Ok(false);
            };
            let mut wanted = read.stored.clone();
            match &mut wanted {
                Stored::Ticket { used_at, .. } if used_at.is_none() => *used_at = used.used_at,
                _ => return Ok(false),
            }
            if self.replace(&used.hash, &key, &read, &wanted).await? {
                return Ok(true);
            }
        }
        Err(contended())
    }
}

pub(super) fn ticket(kind: TicketKind, hash: TicketHash, stored: Stored) -> Option<Ticket> {
    match stored {
        Stored::Ticket {
            subject,
            expires_at,
            used_at,
            payload,
        } => Some(Ticket {
            kind,
            hash,
            subject,
            expires_at,
            used_at,
            payload,
        }),
        _ => None,
    }
}
