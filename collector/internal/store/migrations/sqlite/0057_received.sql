-- +goose Up
-- Letters that came back: replies and bounces, without their text.
CREATE TABLE mail_received (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    sender     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    at         INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    object     TEXT NOT NULL,
    problem    TEXT NOT NULL,
    fold       TEXT NOT NULL
) STRICT;
CREATE INDEX mail_received_outcome ON mail_received (outcome, id);
CREATE INDEX mail_received_at ON mail_received (at, id);
