-- +goose Up
-- Software. A title is a name from a publisher; a version is one version of it from one
-- source, with the number of installs kept as reports come in; an item is one distinct
-- program content (inventory.Key), shared by all machines that have it, never changed
-- and never removed.
CREATE TABLE software_title (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name      TEXT NOT NULL,
    publisher TEXT NOT NULL,
    name_fold TEXT NOT NULL,
    UNIQUE (name, publisher)
) STRICT;
CREATE INDEX software_title_fold ON software_title (name_fold, id);

CREATE TABLE software_version (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    title_id   INTEGER NOT NULL REFERENCES software_title (id),
    version    TEXT NOT NULL,
    source     TEXT NOT NULL,
    installs   INTEGER NOT NULL CHECK (installs >= 0),
    first_seen INTEGER NOT NULL,
    UNIQUE (title_id, version, source)
) STRICT;

CREATE TABLE item (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    key        BLOB NOT NULL UNIQUE,
    version_id INTEGER NOT NULL REFERENCES software_version (id),
    name       TEXT NOT NULL,
    version    TEXT NOT NULL,
    publisher  TEXT NOT NULL,
    origin     TEXT NOT NULL,
    source     TEXT NOT NULL,
    scope      TEXT NOT NULL,
    user_name  TEXT NOT NULL,
    path       TEXT NOT NULL,
    arch       TEXT NOT NULL,
    requested  INTEGER NOT NULL,
    base       INTEGER NOT NULL,
    hidden     INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    signer     TEXT NOT NULL,
    first_seen INTEGER NOT NULL
) STRICT;

-- What is on a machine, as one blob (ingest/pack, installs), and who has an item, as
-- bitmaps of 2,048 machines (ingest/pack, bitmap). taken_at is 0 before the first report
-- that tells of software; exact says that digest is the digest of body.
CREATE TABLE machine_software (
    machine_id INTEGER NOT NULL PRIMARY KEY REFERENCES machine (id),
    digest     BLOB NOT NULL,
    exact      INTEGER NOT NULL,
    taken_at   INTEGER NOT NULL,
    report_id  BLOB NOT NULL,
    os_vendor  TEXT NOT NULL,
    body       BLOB NOT NULL
) STRICT;

CREATE TABLE presence (
    item_id INTEGER NOT NULL,
    chunk   INTEGER NOT NULL,
    bits    BLOB NOT NULL,
    PRIMARY KEY (item_id, chunk)
) STRICT, WITHOUT ROWID;

-- The other sections: body is zstd of JSON.
CREATE TABLE machine_section (
    machine_id INTEGER NOT NULL REFERENCES machine (id),
    section    TEXT NOT NULL,
    digest     BLOB NOT NULL,
    taken_at   INTEGER NOT NULL,
    body       BLOB NOT NULL,
    PRIMARY KEY (machine_id, section)
) STRICT, WITHOUT ROWID;

-- What came and went, after the first whole report, which is one line ("baseline").
CREATE TABLE software_event (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    machine_id INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    item_id    INTEGER NOT NULL,
    report_id  BLOB NOT NULL
) STRICT;
CREATE INDEX software_event_machine ON software_event (machine_id, at);

-- Reports taken, so that the same one twice has the effect of once, and what was
-- refused of them (JSON of inventory.Remark).
CREATE TABLE report (
    id          BLOB NOT NULL PRIMARY KEY,
    machine_id  INTEGER NOT NULL,
    taken_at    INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    cause       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    bytes       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE report_remark (
    report_id   BLOB NOT NULL PRIMARY KEY,
    machine_id  INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    remarks     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX report_remark_machine ON report_remark (machine_id, received_at);

-- Findings: one row for a program on a machine, through its versions. ident is a hash
-- of what stays through an upgrade (name, source, scope, user, path).
CREATE TABLE finding (
    id             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    machine_id     INTEGER NOT NULL REFERENCES machine (id),
    item_id        INTEGER NOT NULL REFERENCES item (id),
    ident          BLOB NOT NULL,
    verdict        TEXT NOT NULL,
    rule           TEXT NOT NULL,
    reason         TEXT NOT NULL,
    state          TEXT NOT NULL,
    first_seen     INTEGER NOT NULL,
    last_seen      INTEGER NOT NULL,
    found_at       INTEGER NOT NULL,
    gone_at        INTEGER NOT NULL,
    report_id      BLOB NOT NULL,
    gone_report_id BLOB NOT NULL,
    nonconformity  TEXT NOT NULL,
    recurrences    INTEGER NOT NULL
) STRICT;
CREATE INDEX finding_machine ON finding (machine_id, item_id);
CREATE INDEX finding_ident ON finding (machine_id, ident);
CREATE INDEX finding_item ON finding (item_id, state);
CREATE INDEX finding_state ON finding (state, id);
CREATE INDEX finding_nonconformity ON finding (nonconformity) WHERE nonconformity <> '';

-- Which policy the findings follow, and how far a re-evaluation has come. One row.
CREATE TABLE evaluation (
    id            INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    pending       INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    boundary      INTEGER NOT NULL,
    cursor_item   INTEGER NOT NULL,
    change_seq    INTEGER NOT NULL,
    claimed_by    TEXT NOT NULL,
    claimed_until INTEGER NOT NULL
) STRICT;
INSERT INTO evaluation (id, pending, version, boundary, cursor_item, change_seq, claimed_by, claimed_until) VALUES (1, 0, 0, 0, 0, 0, '', 0);
