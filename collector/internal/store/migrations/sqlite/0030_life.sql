-- +goose Up
-- The life of a nonconformity: its round (one more each time it is opened again), the
-- moments at which the milestones of this round were reached (0: not yet), who is awaited
-- until when, and when the clock looks at it next (0: at once).
ALTER TABLE nonconformity ADD COLUMN severity TEXT NOT NULL DEFAULT 'major';
ALTER TABLE nonconformity ADD COLUMN round INTEGER NOT NULL DEFAULT 1;
ALTER TABLE nonconformity ADD COLUMN round_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN notified_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN cause_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN planned_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN implemented_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN verified_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN ended_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN plan_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN until_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN awaited TEXT NOT NULL DEFAULT '';
ALTER TABLE nonconformity ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN next_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN anchored INTEGER NOT NULL DEFAULT 0;
UPDATE nonconformity SET round_at = opened_at;
UPDATE nonconformity SET ended_at = contained_at, contained_at = 0 WHERE state = 'withdrawn';
CREATE INDEX nonconformity_next ON nonconformity (next_at, id);
CREATE INDEX nonconformity_due ON nonconformity (due_at, id) WHERE due_at > 0;
CREATE INDEX nonconformity_opened ON nonconformity (opened_at, id);
CREATE INDEX nonconformity_area ON nonconformity (area, opened_at);

-- What the clock told about a task.
CREATE TABLE nonconformity_notice (
    nonconformity_id INTEGER NOT NULL REFERENCES nonconformity (id),
    position         INTEGER NOT NULL,
    round            INTEGER NOT NULL,
    step             TEXT NOT NULL,
    since            INTEGER NOT NULL,
    level            INTEGER NOT NULL,
    at               INTEGER NOT NULL,
    PRIMARY KEY (nonconformity_id, position)
) STRICT;

-- What the parties wrote and acknowledged. document is canonical JSON, hash its SHA-256
-- in hex: neither is ever changed.
CREATE TABLE nonconformity_step (
    nonconformity_id INTEGER NOT NULL REFERENCES nonconformity (id),
    position         INTEGER NOT NULL,
    kind             TEXT NOT NULL,
    round            INTEGER NOT NULL,
    part             TEXT NOT NULL,
    author           TEXT NOT NULL,
    author_name      TEXT NOT NULL,
    on_behalf        INTEGER NOT NULL,
    at               INTEGER NOT NULL,
    address          TEXT NOT NULL,
    answer           TEXT NOT NULL,
    document         TEXT NOT NULL,
    hash             TEXT NOT NULL,
    PRIMARY KEY (nonconformity_id, position)
) STRICT;

-- The content of attachments, once for each record.
CREATE TABLE nonconformity_file (
    nonconformity_id INTEGER NOT NULL REFERENCES nonconformity (id),
    hash             TEXT NOT NULL,
    name             TEXT NOT NULL,
    type             TEXT NOT NULL,
    scan             TEXT NOT NULL,
    added_at         INTEGER NOT NULL,
    size             INTEGER NOT NULL,
    content          BLOB NOT NULL,
    PRIMARY KEY (nonconformity_id, hash)
) STRICT;

-- Days of a site that are worked, or not, whatever the week and the law say. An empty
-- site stands for all.
CREATE TABLE calendar_day (
    site    TEXT NOT NULL,
    day     INTEGER NOT NULL,
    working INTEGER NOT NULL,
    name    TEXT NOT NULL,
    PRIMARY KEY (site, day)
) STRICT;

-- When the machine last showed what is on it, by the collector's clock: a report, or
-- the agent's word that nothing changed.
ALTER TABLE machine_seen ADD COLUMN looked_at INTEGER NOT NULL DEFAULT 0;
