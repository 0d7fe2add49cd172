//! What the statements do to the database.
