-- The session log for a store that keeps its sessions elsewhere. Programs of schema 2 may go on
-- writing here: they know no such store.
CREATE TABLE log_heads (
    shard INTEGER PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT;

-- `until`: the absolute limit of the session, where it is known; after it nobody needs the entry.
CREATE TABLE session_log (
    shard INTEGER NOT NULL,
    position INTEGER NOT NULL,
    lineage BLOB CHECK (length(lineage) = 16),
    subject TEXT,
    kind TEXT NOT NULL,
    at INTEGER,
    until INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (shard, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_log_by_lineage ON session_log (lineage) WHERE lineage IS NOT NULL;
CREATE INDEX session_log_by_subject ON session_log (subject) WHERE subject IS NOT NULL;
CREATE INDEX session_log_by_end ON session_log (until) WHERE until IS NOT NULL;

-- `log_id` tells the log in this file from every other. `log_generation`: which revocation log
-- `log_end` is about, 0 for one that was never compacted. `log_kept`: how long that was after it was
-- last looked through for what nobody needs.
INSERT INTO meta (name, value) VALUES ('log_id', random()), ('log_generation', 0), ('log_kept', 0);
