-- +goose Up
-- Sign-in. Of secrets only hashes are kept, but for that of time-based codes, which has
-- to be known to be checked.
CREATE TABLE account (
    person      TEXT NOT NULL PRIMARY KEY,
    password    TEXT NOT NULL,
    password_at INTEGER NOT NULL,
    totp        BLOB NOT NULL,
    totp_at     INTEGER NOT NULL,
    totp_step   INTEGER NOT NULL,
    language    TEXT NOT NULL,
    theme       TEXT NOT NULL
) STRICT;

CREATE TABLE account_code (
    person  TEXT NOT NULL,
    hash    BLOB NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (person, hash)
) STRICT;

CREATE TABLE account_session (
    id         TEXT NOT NULL PRIMARY KEY,
    person     TEXT NOT NULL,
    method     TEXT NOT NULL,
    coded      INTEGER NOT NULL,
    device     TEXT NOT NULL,
    address    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX account_session_person ON account_session (person, seen_at);
CREATE INDEX account_session_expires_at ON account_session (expires_at);

CREATE TABLE account_device (
    person  TEXT NOT NULL,
    hash    BLOB NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (person, hash)
) STRICT;
CREATE INDEX account_device_seen_at ON account_device (seen_at);

-- Attempts: "until" is when the bucket of a key is full again.
CREATE TABLE account_bucket (
    key   TEXT NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT;
CREATE INDEX account_bucket_until ON account_bucket (until);

ALTER TABLE signin_link ADD COLUMN purpose TEXT NOT NULL DEFAULT 'operator';
CREATE INDEX signin_link_person ON signin_link (person);
