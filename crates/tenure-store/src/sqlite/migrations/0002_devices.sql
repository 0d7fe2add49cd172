-- Device authorizations (RFC 8628). Programs of schema 1 may go on writing here: they do not know
-- the table, and sessions that it leads to are sessions like any other.
CREATE TABLE devices (
    code BLOB PRIMARY KEY CHECK (length(code) = 32),
    user_code BLOB NOT NULL UNIQUE CHECK (length(user_code) = 32),
    client TEXT NOT NULL,
    payload TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    interval INTEGER NOT NULL,
    polled_at INTEGER,
    decision TEXT CHECK (decision IN ('allowed', 'denied')),
    subject TEXT,
    auth_time INTEGER,
    used_at INTEGER,
    used_key BLOB CHECK (length(used_key) = 32),
    CHECK ((decision IS 'allowed') = (subject IS NOT NULL AND auth_time IS NOT NULL)),
    CHECK (used_at IS NULL OR decision IS 'allowed')
) STRICT, WITHOUT ROWID;

CREATE INDEX devices_by_end ON devices (expires_at);
CREATE INDEX devices_by_subject ON devices (subject) WHERE subject IS NOT NULL;
