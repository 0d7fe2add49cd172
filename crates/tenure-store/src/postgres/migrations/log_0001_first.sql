-- The session log, in the database of the sessions or in one of its own. Facts about it, one number
-- each; `id` tells it from every other.
CREATE TABLE log_meta (
    name text PRIMARY KEY,
    value bigint NOT NULL
);

INSERT INTO log_meta (name, value) VALUES
    ('schema', 0), ('min_reader', 1),
    ('id', ('x' || substr(md5(random()::text || clock_timestamp()::text), 1, 16))::bit(64)::bigint);

-- The last position of each shard. Whoever appends holds the row until it commits, so positions
-- are gapless and commit in order.
CREATE TABLE log_heads (
    shard smallint PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 20);

INSERT INTO log_heads (shard, position) SELECT shard, 0 FROM generate_series(0, 1023) shard;

-- `until`: the absolute limit of the session, where it is known; after it nobody needs the entry.
CREATE TABLE session_log (
    shard smallint NOT NULL,
    position bigint NOT NULL,
    lineage uuid,
    subject text,
    kind text NOT NULL,
    at bigint,
    until bigint,
    body text NOT NULL,
    PRIMARY KEY (shard, position)
);

CREATE INDEX session_log_by_lineage ON session_log (lineage) WHERE lineage IS NOT NULL;
CREATE INDEX session_log_by_subject ON session_log (subject) WHERE subject IS NOT NULL;
CREATE INDEX session_log_by_end ON session_log (until) WHERE until IS NOT NULL;
