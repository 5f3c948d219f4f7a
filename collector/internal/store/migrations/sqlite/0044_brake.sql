-- +goose Up
-- Whether nonconformities are opened at all: more than the cap of one hour pauses it until
-- somebody resumes. One row.
CREATE TABLE brake (
    id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    paused_at INTEGER NOT NULL,
    opened    INTEGER NOT NULL,
    cap       INTEGER NOT NULL,
    told      INTEGER NOT NULL,
    by_whom   TEXT NOT NULL
) STRICT;
INSERT INTO brake (id, paused_at, opened, cap, told, by_whom) VALUES (1, 0, 0, 0, 0, '');
