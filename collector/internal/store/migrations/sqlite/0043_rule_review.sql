-- +goose Up
-- The half-yearly review of the allowlist's rules: when each was made, and by whom and
-- how it was reviewed last. due_at is six months after the later of both.
CREATE TABLE rule_review (
    rule_id     TEXT NOT NULL PRIMARY KEY,
    made_at     INTEGER NOT NULL,
    made_by     TEXT NOT NULL,
    reviewed_at INTEGER NOT NULL,
    reviewed_by TEXT NOT NULL,
    note        TEXT NOT NULL,
    due_at      INTEGER NOT NULL
) STRICT;

-- One row: how far the allowlist's history has been read for it.
CREATE TABLE rule_review_state (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO rule_review_state (id, version) VALUES (1, 0);
