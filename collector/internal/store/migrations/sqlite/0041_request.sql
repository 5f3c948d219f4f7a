-- +goose Up
-- Requests for authorization. search is what a list's query is looked up in; money, the
-- amount, is in hundredths of the currency; valid_until is of the grant, wanted_until what
-- was asked for; reminded is the days ahead that the last reminder told, 0 for none.
CREATE TABLE request_counter (
    year INTEGER NOT NULL PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT;

CREATE TABLE request (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    number          TEXT NOT NULL UNIQUE,
    state           TEXT NOT NULL,
    program         TEXT NOT NULL,
    publisher       TEXT NOT NULL,
    described       TEXT NOT NULL,
    category        TEXT NOT NULL,
    machine         TEXT NOT NULL,
    hostname        TEXT NOT NULL,
    person          TEXT NOT NULL,
    person_name     TEXT NOT NULL,
    area            TEXT NOT NULL,
    site            TEXT NOT NULL,
    asked_by        TEXT NOT NULL,
    asked_at        INTEGER NOT NULL,
    purpose         TEXT NOT NULL,
    wanted_until    INTEGER NOT NULL,
    money           INTEGER NOT NULL,
    currency        TEXT NOT NULL,
    license         TEXT NOT NULL,
    needs_manager   INTEGER NOT NULL,
    needs_purchase  INTEGER NOT NULL,
    manager         TEXT NOT NULL,
    finding         INTEGER NOT NULL,
    renews          TEXT NOT NULL,
    renewed_by      TEXT NOT NULL,
    decided_at      INTEGER NOT NULL,
    decided_by      TEXT NOT NULL,
    reason          TEXT NOT NULL,
    scope           TEXT NOT NULL,
    valid_until     INTEGER NOT NULL,
    rule_id         TEXT NOT NULL,
    rule_name       TEXT NOT NULL,
    reminded        INTEGER NOT NULL,
    search          TEXT NOT NULL
) STRICT;
CREATE INDEX request_state ON request (state, id);
CREATE INDEX request_person ON request (person, id);
CREATE INDEX request_rule ON request (rule_id) WHERE rule_id <> '';
CREATE INDEX request_finding ON request (finding) WHERE finding > 0;
CREATE INDEX request_until ON request (valid_until) WHERE valid_until > 0;

CREATE TABLE request_event (
    request_id INTEGER NOT NULL REFERENCES request (id),
    position   INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    detail     TEXT NOT NULL,
    PRIMARY KEY (request_id, position)
) STRICT;
