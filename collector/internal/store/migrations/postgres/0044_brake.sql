-- +goose Up
-- Whether nonconformities are opened at all: more than the cap of one hour pauses it until
-- somebody resumes. One row.
CREATE TABLE brake (
    id        BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    paused_at BIGINT NOT NULL,
    opened    BIGINT NOT NULL,
    cap       BIGINT NOT NULL,
    told      BIGINT NOT NULL,
    by_whom   TEXT NOT NULL
);
INSERT INTO brake (id, paused_at, opened, cap, told, by_whom) VALUES (1, 0, 0, 0, 0, '');
