//! What only the causes of this family ask.

pub(super) mod logged;
pub(super) mod refreshes;
pub(super) mod said;
pub(super) mod sign_in;
pub(super) mod still_accepted;
