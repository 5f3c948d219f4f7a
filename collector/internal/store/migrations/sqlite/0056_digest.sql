-- +goose Up
-- A message that waits for its reader's digest (digest = 1) is not sent by itself:
-- merged_into is then the message that told of it. path is where its button leads.
ALTER TABLE mail ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mail ADD COLUMN merged_into INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mail ADD COLUMN path TEXT NOT NULL DEFAULT '';
CREATE INDEX mail_digest ON mail (next_at, recipient) WHERE state = 'waiting' AND digest = 1;

-- How somebody wants to be told, where it is not as their role is told. Minutes are those
-- of the day; equal ones mean no quiet hours.
CREATE TABLE mail_preference (
    person     TEXT NOT NULL PRIMARY KEY,
    delivery   TEXT NOT NULL CHECK (delivery IN ('', 'at-once', 'daily', 'weekly')),
    quiet      INTEGER NOT NULL,
    quiet_from INTEGER NOT NULL CHECK (quiet_from BETWEEN 0 AND 1439),
    quiet_to   INTEGER NOT NULL CHECK (quiet_to BETWEEN 0 AND 1439)
) STRICT;
