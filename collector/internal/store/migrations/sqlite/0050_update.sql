-- +goose Up
-- Files of signed releases, as the operator handed them over, in parts of 256 KiB.
CREATE TABLE update_file (
    name TEXT NOT NULL,
    part INTEGER NOT NULL CHECK (part >= 0),
    size INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (name, part)
) STRICT;

CREATE TABLE update_release (
    version      TEXT NOT NULL PRIMARY KEY,
    published_at INTEGER NOT NULL,
    published_by TEXT NOT NULL
) STRICT;

-- Which machines are to run which version. An empty group is all machines.
CREATE TABLE update_stage (
    id            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    version       TEXT NOT NULL,
    machine_group TEXT NOT NULL,
    share         INTEGER NOT NULL CHECK (share BETWEEN 1 AND 100),
    grace_seconds INTEGER NOT NULL CHECK (grace_seconds > 0),
    paused        INTEGER NOT NULL CHECK (paused IN (0, 1)),
    created_at    INTEGER NOT NULL,
    created_by    TEXT NOT NULL
) STRICT;

-- What each agent told of its version last.
CREATE TABLE update_progress (
    machine TEXT NOT NULL PRIMARY KEY,
    version TEXT NOT NULL,
    system  TEXT NOT NULL,
    target  TEXT NOT NULL,
    phase   TEXT NOT NULL,
    problem TEXT NOT NULL,
    told_at INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE update_progress;
DROP TABLE update_stage;
DROP TABLE update_release;
DROP TABLE update_file;
