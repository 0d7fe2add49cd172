-- The session log, in the database of the sessions or in one of its own. Run whenever a log is
-- opened: every statement may find its work done.
CREATE TABLE IF NOT EXISTS session_log_facts (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- The oldest program that may still write here.
    min_writer integer NOT NULL DEFAULT 1,
    only boolean PRIMARY KEY DEFAULT true CHECK (only)
);

INSERT INTO session_log_facts DEFAULT VALUES ON CONFLICT DO NOTHING;

-- The last position of each shard. Whoever appends holds the row until it commits, so positions
-- are gapless and commit in order.
CREATE TABLE IF NOT EXISTS log_heads (
    shard smallint PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO log_heads (shard, position) SELECT generate_series(0, 1023), 0 ON CONFLICT DO NOTHING;

-- `until`: the absolute limit of the session, after which nobody needs the entry; null where it is
-- not known.
CREATE TABLE IF NOT EXISTS session_log (
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

CREATE INDEX IF NOT EXISTS session_log_by_lineage ON session_log (lineage, position);
CREATE INDEX IF NOT EXISTS session_log_by_subject ON session_log (subject) WHERE subject IS NOT NULL;
CREATE INDEX IF NOT EXISTS session_log_by_end ON session_log (until) WHERE until IS NOT NULL;
