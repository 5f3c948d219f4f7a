-- +goose Up
-- What a person was asked about a finding, and what they promised. Of the link in the mail
-- only the hash is kept.
CREATE TABLE question (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    finding     INTEGER NOT NULL REFERENCES finding (id),
    person      TEXT NOT NULL,
    asked_by    TEXT NOT NULL,
    asked_at    INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    hash        BLOB NOT NULL UNIQUE,
    answer      TEXT NOT NULL,
    answered_at INTEGER NOT NULL,
    request     TEXT NOT NULL,
    promise     INTEGER NOT NULL
) STRICT;
CREATE INDEX question_finding ON question (finding, id);
CREATE INDEX question_person ON question (person, id);

CREATE TABLE promise (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    finding   INTEGER NOT NULL REFERENCES finding (id),
    person    TEXT NOT NULL,
    made_at   INTEGER NOT NULL,
    due_at    INTEGER NOT NULL,
    state     TEXT NOT NULL,
    ended_at  INTEGER NOT NULL,
    report    TEXT NOT NULL,
    told      TEXT NOT NULL
) STRICT;
CREATE INDEX promise_state ON promise (state, due_at);
CREATE INDEX promise_finding ON promise (finding, id);
CREATE INDEX promise_person ON promise (person, id);
