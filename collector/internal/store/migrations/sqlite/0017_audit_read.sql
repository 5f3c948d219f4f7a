-- +goose Up
-- Reading the audit log by time and by what was done.
CREATE INDEX audit_at ON audit (at, seq);
CREATE INDEX audit_action ON audit (action, seq);

-- Every time that somebody had the chain verified: up to which entry it held, the hash of
-- that entry, and where it broke (broken_at 0: nowhere).
CREATE TABLE audit_proof (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    started_by TEXT NOT NULL,
    entries    INTEGER NOT NULL,
    of_entries INTEGER NOT NULL,
    head       BLOB NOT NULL,
    broken_at  INTEGER NOT NULL,
    problem    TEXT NOT NULL
) STRICT;
