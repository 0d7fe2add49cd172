-- Facts about this database, one number each. `min_reader`: the oldest schema whose programs may
-- still write here. `version` grows with every change of keys, accounts and cuts. `restored_at`:
-- 0 for never, -1 from a replay of the session log to the first sweep after it. `system` and
-- `timeline`: which server wrote here last (`pg_control_system`, the timeline of its write-ahead
-- log), `incarnation`: the number of this table then; 0 before the first. `log`: the id of the
-- session log that it was last written with.
CREATE TABLE meta (
    name text PRIMARY KEY,
    value bigint NOT NULL
) WITH (fillfactor = 50);

INSERT INTO meta (name, value) VALUES
    ('schema', 0), ('min_reader', 1), ('version', 0), ('check', 0), ('restored_at', 0),
    ('system', 0), ('timeline', 0), ('incarnation', 0), ('log', 0);

-- One row per signed-in device. A refresh writes no column that an index covers, and a page keeps
-- room for its next versions: so a refresh touches one page and no index (a HOT update). Half of it,
-- because a row doubles while its ring fills.
CREATE TABLE sessions (
    lineage uuid PRIMARY KEY,
    secret bytea NOT NULL CHECK (length(secret) = 16),
    subject text NOT NULL,
    client text NOT NULL,
    scope text NOT NULL,
    audience text NOT NULL,
    auth_time bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_absolute bigint NOT NULL,
    idle bigint NOT NULL,
    head_id bytea NOT NULL CHECK (length(head_id) = 8),
    head_generation bigint NOT NULL,
    head_since bigint NOT NULL,
    head_uses bytea NOT NULL CHECK (length(head_uses) <= 16),
    ring bytea NOT NULL CHECK (length(ring) <= 256),
    history_unknown_until bigint,
    revoked_at bigint,
    revoked_cause text,
    spared_until bigint NOT NULL DEFAULT 0,
    device_label text,
    device_ip_prefix text,
    device_user_agent text,
    dpop_jkt text
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX sessions_by_subject ON sessions (subject);

-- Every sign-in of the subject before `before` is void.
CREATE TABLE cuts (
    subject text PRIMARY KEY,
    before bigint NOT NULL,
    cause text NOT NULL
);

-- Ends that the session log tells of sessions which this database does not have.
CREATE TABLE lost_ends (
    lineage uuid PRIMARY KEY,
    at bigint NOT NULL,
    cause text NOT NULL
);

CREATE TABLE tickets (
    kind text NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    subject text,
    expires_at bigint NOT NULL,
    used_at bigint,
    payload text NOT NULL,
    PRIMARY KEY (kind, hash)
);

CREATE INDEX tickets_by_end ON tickets (expires_at);
CREATE INDEX tickets_by_subject ON tickets (subject) WHERE subject IS NOT NULL;

-- Device authorizations (RFC 8628).
CREATE TABLE devices (
    code bytea PRIMARY KEY CHECK (length(code) = 32),
    user_code bytea NOT NULL UNIQUE CHECK (length(user_code) = 32),
    client text NOT NULL,
    payload text NOT NULL,
    expires_at bigint NOT NULL,
    interval_seconds bigint NOT NULL,
    polled_at bigint,
    decision text CHECK (decision IN ('allowed', 'denied')),
    subject text,
    auth_time bigint,
    used_at bigint,
    used_key bytea CHECK (length(used_key) = 32),
    CHECK ((decision IS NOT DISTINCT FROM 'allowed') = (subject IS NOT NULL AND auth_time IS NOT NULL)),
    CHECK (used_at IS NULL OR decision = 'allowed')
);

CREATE INDEX devices_by_end ON devices (expires_at);
CREATE INDEX devices_by_subject ON devices (subject) WHERE subject IS NOT NULL;

-- `email_folded` is what makes an address unique: Unicode lower case, the same on every server
-- whatever its locale; ordered by code point for the same reason.
CREATE TABLE users (
    subject text PRIMARY KEY,
    email text NOT NULL,
    email_folded text COLLATE "C" NOT NULL UNIQUE,
    password text,
    disabled boolean NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE consents (
    subject text NOT NULL,
    client text NOT NULL,
    scope text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (subject, client)
);

CREATE TABLE keys (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    of text NOT NULL,
    algorithm text NOT NULL,
    state text NOT NULL,
    since bigint NOT NULL,
    sealed bytea NOT NULL
);

CREATE TABLE audit (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    event text NOT NULL,
    subject text,
    client text,
    sid text,
    reason text,
    ip_prefix text,
    request_id text
);

CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_subject ON audit (subject, at) WHERE subject IS NOT NULL;

-- How far a session log in another database is carried out here.
CREATE TABLE log_applied (
    shard smallint PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 20);

INSERT INTO log_applied (shard, position) SELECT shard, 0 FROM generate_series(0, 1023) shard;
