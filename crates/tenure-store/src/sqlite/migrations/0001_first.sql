-- Facts about this file. `min_reader`: the oldest schema whose programs may still write here.
-- `version` grows with every change of keys, accounts and cuts. `log_end`: how much of the
-- revocation log this file has. `restored_at`: -1 from a replay to the first sweep after it.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES
    ('schema', 1), ('min_reader', 1), ('version', 0), ('check', 0),
    ('log_end', 0), ('restored_at', 0);

-- One row per signed-in device. No index covers a column that a refresh writes. Rows of this size
-- leave a WITHOUT ROWID tree a fan-out of six; beside an index of lineages it is hundreds.
CREATE TABLE sessions (
    lineage BLOB NOT NULL UNIQUE CHECK (length(lineage) = 16),
    secret BLOB NOT NULL CHECK (length(secret) = 16),
    subject TEXT NOT NULL,
    client TEXT NOT NULL,
    scope TEXT NOT NULL,
    audience TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_absolute INTEGER NOT NULL,
    idle INTEGER NOT NULL,
    head_id BLOB NOT NULL CHECK (length(head_id) = 8),
    head_generation INTEGER NOT NULL,
    head_since INTEGER NOT NULL,
    head_uses BLOB NOT NULL CHECK (length(head_uses) <= 16),
    ring BLOB NOT NULL CHECK (length(ring) <= 256),
    history_unknown_until INTEGER,
    revoked_at INTEGER,
    revoked_cause TEXT,
    spared_until INTEGER NOT NULL DEFAULT 0,
    device_label TEXT,
    device_ip_prefix TEXT,
    device_user_agent TEXT,
    dpop_jkt TEXT
) STRICT;

CREATE INDEX sessions_by_subject ON sessions (subject);

-- Every sign-in of the subject before `before` is void.
CREATE TABLE cuts (
    subject TEXT PRIMARY KEY,
    before INTEGER NOT NULL,
    cause TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Ends that the revocation log tells of sessions which this file does not have.
CREATE TABLE lost_ends (
    lineage BLOB PRIMARY KEY,
    at INTEGER NOT NULL,
    cause TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tickets (
    kind TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    subject TEXT,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    payload TEXT NOT NULL,
    PRIMARY KEY (kind, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX tickets_by_end ON tickets (expires_at);
CREATE INDEX tickets_by_subject ON tickets (subject) WHERE subject IS NOT NULL;

-- `email_folded` is what makes an address unique: Unicode lower case, which SQLite does not know.
CREATE TABLE users (
    subject TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL UNIQUE,
    password TEXT,
    disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE consents (
    subject TEXT NOT NULL,
    client TEXT NOT NULL,
    scope TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (subject, client)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    of TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    since INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE audit (
    position INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    subject TEXT,
    client TEXT,
    sid TEXT,
    reason TEXT,
    ip_prefix TEXT,
    request_id TEXT
) STRICT;

CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_subject ON audit (subject, at) WHERE subject IS NOT NULL;
