-- +goose Up
-- Mail to be sent, and what became of it. key tells a message from every other, for
-- good. A collector that sends one holds it until held_until.
CREATE TABLE mail (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    key        TEXT NOT NULL UNIQUE,
    message_id TEXT NOT NULL UNIQUE,
    thread     TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    name       TEXT NOT NULL,
    lang       TEXT NOT NULL,
    template   TEXT NOT NULL,
    subject    TEXT NOT NULL,
    body_text  TEXT NOT NULL,
    body_html  TEXT NOT NULL,
    secret     INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'bounced', 'expired')),
    attempts   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    problem    TEXT NOT NULL,
    code       INTEGER NOT NULL,
    held_by    TEXT NOT NULL,
    held_until INTEGER NOT NULL,
    fold       TEXT NOT NULL
) STRICT;
CREATE INDEX mail_due ON mail (next_at, id) WHERE state = 'waiting';
CREATE INDEX mail_state ON mail (state, id);
CREATE INDEX mail_ended ON mail (ended_at, id) WHERE ended_at > 0;
CREATE INDEX mail_held ON mail (held_by) WHERE held_by <> '';
