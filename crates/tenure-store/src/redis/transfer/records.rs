//! Tickets and device authorizations of another store.

use super::super::inner::Inner;
use crate::transfer::merged_device;
use crate::{Device, StoreError, Ticket, Written};

impl Inner {
    pub(super) async fn import_ticket(&self, ticket: &Ticket) -> Result<bool, StoreError> {
        match self.add_ticket(ticket).await {
            Err(StoreError::Damaged(_)) => {}
            added => return added.map(|()| true),
        }
        match ticket.used_at {
            Some(_) => self.use_ticket(ticket).await,
            None => Ok(false),
        }
    }

    pub(super) async fn import_device(&self, device: &Device) -> Result<bool, StoreError> {
        let merge = |here: &mut Device| {
            let further = merged_device(here, device);
            let changes = *here != further;
            *here = further;
            changes
        };
        if let Some(changed) = self.change_device(device.code, merge).await? {
            return Ok(changed);
        }
        Ok(self.add_device(device).await? == Written::Now)
    }
}
