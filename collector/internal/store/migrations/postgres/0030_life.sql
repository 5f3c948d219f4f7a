-- +goose Up
-- The life of a nonconformity: its round (one more each time it is opened again), the
-- moments at which the milestones of this round were reached (0: not yet), who is awaited
-- until when, and when the clock looks at it next (0: at once).
ALTER TABLE nonconformity ADD COLUMN severity TEXT NOT NULL DEFAULT 'major';
ALTER TABLE nonconformity ADD COLUMN round BIGINT NOT NULL DEFAULT 1;
ALTER TABLE nonconformity ADD COLUMN round_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN notified_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN cause_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN planned_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN implemented_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN verified_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN ended_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN plan_by BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN until_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN awaited TEXT NOT NULL DEFAULT '';
ALTER TABLE nonconformity ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN next_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nonconformity ADD COLUMN anchored BIGINT NOT NULL DEFAULT 0;
UPDATE nonconformity SET round_at = opened_at;
UPDATE nonconformity SET ended_at = contained_at, contained_at = 0 WHERE state = 'withdrawn';
CREATE INDEX nonconformity_next ON nonconformity (next_at, id);
CREATE INDEX nonconformity_due ON nonconformity (due_at, id) WHERE due_at > 0;
CREATE INDEX nonconformity_opened ON nonconformity (opened_at, id);
CREATE INDEX nonconformity_area ON nonconformity (area, opened_at);

-- What the clock told about a task.
CREATE TABLE nonconformity_notice (
    nonconformity_id BIGINT NOT NULL REFERENCES nonconformity (id),
    position         BIGINT NOT NULL,
    round            BIGINT NOT NULL,
    step             TEXT NOT NULL,
    since            BIGINT NOT NULL,
    level            BIGINT NOT NULL,
    at               BIGINT NOT NULL,
    PRIMARY KEY (nonconformity_id, position)
);

-- What the parties wrote and acknowledged. document is canonical JSON, hash its SHA-256
-- in hex: neither is ever changed.
CREATE TABLE nonconformity_step (
    nonconformity_id BIGINT NOT NULL REFERENCES nonconformity (id),
    position         BIGINT NOT NULL,
    kind             TEXT NOT NULL,
    round            BIGINT NOT NULL,
    part             TEXT NOT NULL,
    author           TEXT NOT NULL,
    author_name      TEXT NOT NULL,
    on_behalf        BIGINT NOT NULL,
    at               BIGINT NOT NULL,
    address          TEXT NOT NULL,
    answer           TEXT NOT NULL,
    document         TEXT NOT NULL,
    hash             TEXT NOT NULL,
    PRIMARY KEY (nonconformity_id, position)
);

-- The content of attachments, once for each record.
CREATE TABLE nonconformity_file (
    nonconformity_id BIGINT NOT NULL REFERENCES nonconformity (id),
    hash             TEXT NOT NULL,
    name             TEXT NOT NULL,
    type             TEXT NOT NULL,
    scan             TEXT NOT NULL,
    added_at         BIGINT NOT NULL,
    size             BIGINT NOT NULL,
    content          BYTEA NOT NULL,
    PRIMARY KEY (nonconformity_id, hash)
);

-- Days of a site that are worked, or not, whatever the week and the law say. An empty
-- site stands for all.
CREATE TABLE calendar_day (
    site    TEXT NOT NULL,
    day     BIGINT NOT NULL,
    working BIGINT NOT NULL,
    name    TEXT NOT NULL,
    PRIMARY KEY (site, day)
);

-- When the machine last showed what is on it, by the collector's clock: a report, or
-- the agent's word that nothing changed.
ALTER TABLE machine_seen ADD COLUMN looked_at BIGINT NOT NULL DEFAULT 0;
