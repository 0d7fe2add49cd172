//! The session log in PostgreSQL: in the database of the sessions, or in one of its own.
//!
//! Of its sessions PostgreSQL keeps a log only where that is a database of its own: one that falls
//! back together with them tells nothing that they do not. (A store that keeps its sessions in Redis
//! writes one in either case.)
//!
//! For the methods of the store: inside a transaction, after its statements and right before its
//! commit, `log.append(&transaction, &entries)`. It holds the rows of the shards in `log_applied`
//! until the commit, so that what the database has of a shard is always a beginning of the log. A
//! commit that fails after it leaves entries that the next writer of the shard, or the next start,
//! makes good: nobody was promised them, and to end a session that its user asked to end is never
//! wrong.
