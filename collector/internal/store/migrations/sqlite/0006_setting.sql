-- +goose Up
-- Settings that differ from their default. Secrets are sealed.
CREATE TABLE setting (
    name       TEXT NOT NULL PRIMARY KEY,
    value      TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT;

-- Copies of the database that collectors made. slot is the one time of a schedule, so
-- that one collector makes it; whoever makes a copy holds it until held_until.
CREATE TABLE backup (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    slot       TEXT NOT NULL UNIQUE,
    state      TEXT NOT NULL CHECK (state IN ('running', 'verified', 'readable', 'failed')),
    step       TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    started_by TEXT NOT NULL,
    ended_at   INTEGER NOT NULL,
    host       TEXT NOT NULL,
    file       TEXT NOT NULL,
    bytes      INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    problem    TEXT NOT NULL,
    removed_at INTEGER NOT NULL,
    held_until INTEGER NOT NULL
) STRICT;
CREATE INDEX backup_state ON backup (state, id);
