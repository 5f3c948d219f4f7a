-- +goose Up
-- Collectors that run or ran on this database. alive_at is kept while they run.
CREATE TABLE collector (
    id         TEXT NOT NULL PRIMARY KEY,
    host       TEXT NOT NULL,
    listens    TEXT NOT NULL,
    version    TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    alive_at   INTEGER NOT NULL
) STRICT;

-- The newest connection of each machine's agent: the certificate that it showed, by which
-- CA (issuer, a fingerprint), which CAs it trusts (fingerprints, newest first), the
-- collector it reached, and what waits on the machine. ended_at is 0 while it lasts, or
-- where the collector did not live to see its end.
CREATE TABLE agent (
    machine_id   INTEGER NOT NULL PRIMARY KEY REFERENCES machine (id),
    certificate  TEXT NOT NULL,
    issuer       TEXT NOT NULL,
    ends_at      INTEGER NOT NULL,
    trusts       TEXT NOT NULL,
    protocol     INTEGER NOT NULL,
    collector_id TEXT NOT NULL,
    connected_at INTEGER NOT NULL,
    ended_at     INTEGER NOT NULL,
    spool_bytes  INTEGER NOT NULL,
    spool_oldest INTEGER NOT NULL,
    clock_behind INTEGER NOT NULL
) STRICT;
CREATE INDEX agent_collector ON agent (collector_id);

-- issuer and ca are fingerprints of CAs; empty: the one there was before any rotation.
-- uses is how many machines the token was made for; 0: not written down.
ALTER TABLE certificate ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN ca TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
