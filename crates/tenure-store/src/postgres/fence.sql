-- How much of the session log this database has, where the log is kept in another one.
CREATE TABLE IF NOT EXISTS log_applied (
    shard smallint PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO log_applied (shard, position)
SELECT generate_series(0, 1023), 0 ON CONFLICT DO NOTHING;

-- `server`: which database on which server, and which of its histories, this was last known to be.
-- `log`: the log that it was last written with. `restored_at`: 0 for never, -1 from a replay to the
-- first sweep after it.
CREATE TABLE IF NOT EXISTS fence (
    server text,
    log uuid,
    sessions_elsewhere boolean NOT NULL DEFAULT false,
    restored_at bigint NOT NULL DEFAULT 0,
    only boolean PRIMARY KEY DEFAULT true CHECK (only)
);

INSERT INTO fence DEFAULT VALUES ON CONFLICT DO NOTHING;
