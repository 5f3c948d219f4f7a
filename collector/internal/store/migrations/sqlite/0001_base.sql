-- +goose Up
-- The organisation. Columns ending in _fold hold the folded form of their twin, for
-- search, order and uniqueness; Fold in fold.go and fold() say what that is.
CREATE TABLE site (
    id        INTEGER NOT NULL PRIMARY KEY,
    name      TEXT NOT NULL,
    name_fold TEXT NOT NULL UNIQUE,
    remote    INTEGER NOT NULL
) STRICT;

CREATE TABLE area (
    id        INTEGER NOT NULL PRIMARY KEY,
    name      TEXT NOT NULL,
    name_fold TEXT NOT NULL UNIQUE,
    manager   TEXT NOT NULL
) STRICT;

CREATE TABLE person (
    id              INTEGER NOT NULL PRIMARY KEY,
    email           TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    name_fold       TEXT NOT NULL,
    area_id         INTEGER REFERENCES area (id),
    site_id         INTEGER REFERENCES site (id),
    primary_machine TEXT NOT NULL,
    primary_fold    TEXT NOT NULL,
    role            TEXT NOT NULL,
    active          INTEGER NOT NULL
) STRICT;
CREATE INDEX person_role ON person (role);

CREATE VIEW person_view AS
SELECT p.id, p.email, p.name, cast(coalesce(a.name, '') AS TEXT) AS area, cast(coalesce(s.name, '') AS TEXT) AS site,
       p.primary_machine, p.primary_fold, p.role, p.active, p.area_id, p.site_id
FROM person p
    LEFT JOIN area a ON a.id = p.area_id
    LEFT JOIN site s ON s.id = p.site_id;

-- Machines. What an unchanged report tells is in machine_seen, so that such a report
-- writes one narrow row. The counts programs and findings are kept as reports come in.
CREATE TABLE machine (
    id            INTEGER NOT NULL PRIMARY KEY,
    uuid          TEXT NOT NULL UNIQUE,
    hostname      TEXT NOT NULL,
    hostname_fold TEXT NOT NULL,
    serial        TEXT NOT NULL,
    serial_fold   TEXT NOT NULL,
    hardware_uuid TEXT NOT NULL,
    machine_id    TEXT NOT NULL,
    os            TEXT NOT NULL,
    site_id       INTEGER REFERENCES site (id),
    area_id       INTEGER REFERENCES area (id),
    person_id     INTEGER REFERENCES person (id),
    state         TEXT NOT NULL,
    state_reason  TEXT NOT NULL,
    state_at      INTEGER NOT NULL,
    enrolled_at   INTEGER NOT NULL,
    programs      INTEGER NOT NULL DEFAULT 0,
    findings      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX machine_hostname ON machine (hostname_fold, uuid);
CREATE INDEX machine_state ON machine (state, hostname_fold, uuid);
CREATE INDEX machine_site ON machine (site_id, hostname_fold, uuid);
CREATE INDEX machine_area ON machine (area_id, hostname_fold, uuid);
CREATE INDEX machine_person ON machine (person_id);
CREATE INDEX machine_serial ON machine (serial) WHERE serial <> '';
CREATE INDEX machine_hardware_uuid ON machine (hardware_uuid) WHERE hardware_uuid <> '';
CREATE INDEX machine_machine_id ON machine (machine_id) WHERE machine_id <> '';

CREATE TABLE machine_seen (
    machine_id    INTEGER NOT NULL PRIMARY KEY REFERENCES machine (id),
    last_seen     INTEGER NOT NULL,
    last_report   INTEGER NOT NULL,
    agent_version TEXT NOT NULL,
    spooled       INTEGER NOT NULL
) STRICT;

CREATE VIEW machine_view AS
SELECT m.id, m.uuid, m.hostname, m.serial, m.hardware_uuid, m.machine_id, m.os,
       cast(coalesce(s.name, '') AS TEXT) AS site, cast(coalesce(a.name, '') AS TEXT) AS area,
       cast(coalesce(p.email, '') AS TEXT) AS person, m.state, m.state_reason, m.state_at, m.enrolled_at,
       cast(coalesce(n.last_seen, 0) AS INTEGER) AS last_seen, cast(coalesce(n.last_report, 0) AS INTEGER) AS last_report,
       cast(coalesce(n.agent_version, '') AS TEXT) AS agent_version, cast(coalesce(n.spooled, 0) AS INTEGER) AS spooled,
       m.programs, m.findings, m.hostname_fold, m.serial_fold, m.site_id, m.area_id, m.person_id,
       s.name_fold AS site_fold, a.name_fold AS area_fold, p.name_fold AS person_fold
FROM machine m
    LEFT JOIN site s ON s.id = m.site_id
    LEFT JOIN area a ON a.id = m.area_id
    LEFT JOIN person p ON p.id = m.person_id
    LEFT JOIN machine_seen n ON n.machine_id = m.id;

CREATE TABLE token (
    id          INTEGER NOT NULL PRIMARY KEY,
    secret_hash BLOB NOT NULL UNIQUE,
    site        TEXT NOT NULL,
    area        TEXT NOT NULL,
    uses_left   INTEGER NOT NULL CHECK (uses_left >= 0),
    expires_at  INTEGER NOT NULL,
    serials     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    created_by  TEXT NOT NULL,
    revoked_at  INTEGER NOT NULL,
    note        TEXT NOT NULL
) STRICT;

CREATE TABLE certificate (
    serial     TEXT NOT NULL PRIMARY KEY,
    machine_id INTEGER NOT NULL REFERENCES machine (id),
    not_before INTEGER NOT NULL,
    not_after  INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL
) STRICT;
CREATE INDEX certificate_machine ON certificate (machine_id);
CREATE INDEX certificate_revoked ON certificate (not_after) WHERE revoked_at <> 0;

-- Notices between collectors; rows older than a day go.
CREATE TABLE change (
    seq     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX change_at ON change (at);

CREATE TABLE command (
    id         TEXT NOT NULL PRIMARY KEY,
    machine_id INTEGER NOT NULL REFERENCES machine (id),
    kind       TEXT NOT NULL,
    args       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    done_at    INTEGER NOT NULL,
    ok         INTEGER NOT NULL,
    problem    TEXT NOT NULL
) STRICT;
CREATE INDEX command_pending ON command (machine_id) WHERE done_at = 0;

CREATE TABLE blob (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE audit (
    seq         INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    at          INTEGER NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    object      TEXT NOT NULL,
    before_json TEXT NOT NULL,
    after_json  TEXT NOT NULL,
    prev        BLOB NOT NULL,
    hash        BLOB NOT NULL
) STRICT;
CREATE INDEX audit_object ON audit (object, seq);
CREATE INDEX audit_actor ON audit (actor, seq);

CREATE TABLE allowlist (
    version    INTEGER NOT NULL PRIMARY KEY CHECK (version > 0),
    mode       TEXT NOT NULL,
    baseline   INTEGER NOT NULL,
    rules      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    cause      TEXT NOT NULL,
    undoes     INTEGER NOT NULL
) STRICT;

-- Nonconformities. The counter's row gives each year's numbers one by one; it is
-- locked until the record is stored, so that a number is neither lost nor given twice.
CREATE TABLE nonconformity_counter (
    year INTEGER NOT NULL PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT;

CREATE TABLE nonconformity (
    id           INTEGER NOT NULL PRIMARY KEY,
    number       TEXT NOT NULL UNIQUE,
    year         INTEGER NOT NULL,
    counter      INTEGER NOT NULL,
    state        TEXT NOT NULL,
    machine_id   INTEGER NOT NULL REFERENCES machine (id),
    hostname     TEXT NOT NULL,
    person       TEXT NOT NULL,
    person_name  TEXT NOT NULL,
    area         TEXT NOT NULL,
    site         TEXT NOT NULL,
    search       TEXT NOT NULL,
    opened_at    INTEGER NOT NULL,
    contained_at INTEGER NOT NULL,
    recurrences  INTEGER NOT NULL,
    UNIQUE (year, counter)
) STRICT;
CREATE INDEX nonconformity_machine ON nonconformity (machine_id, person, id);
CREATE INDEX nonconformity_person ON nonconformity (person, id);
CREATE INDEX nonconformity_state ON nonconformity (state, id);

CREATE TABLE nonconformity_party (
    nonconformity_id INTEGER NOT NULL REFERENCES nonconformity (id),
    position         INTEGER NOT NULL,
    part             TEXT NOT NULL,
    email            TEXT NOT NULL,
    name             TEXT NOT NULL,
    PRIMARY KEY (nonconformity_id, position)
) STRICT;

CREATE TABLE nonconformity_program (
    nonconformity_id INTEGER NOT NULL REFERENCES nonconformity (id),
    position         INTEGER NOT NULL,
    finding          INTEGER NOT NULL,
    name             TEXT NOT NULL,
    version          TEXT NOT NULL,
    source           TEXT NOT NULL,
    state            TEXT NOT NULL,
    gone_at          INTEGER NOT NULL,
    PRIMARY KEY (nonconformity_id, position)
) STRICT;

CREATE TABLE nonconformity_evidence (
    nonconformity_id INTEGER NOT NULL REFERENCES nonconformity (id),
    position         INTEGER NOT NULL,
    kind             TEXT NOT NULL,
    finding          INTEGER NOT NULL,
    report           TEXT NOT NULL,
    at               INTEGER NOT NULL,
    program          TEXT NOT NULL,
    source           TEXT NOT NULL,
    path             TEXT NOT NULL,
    sha256           TEXT NOT NULL,
    PRIMARY KEY (nonconformity_id, position)
) STRICT;

CREATE TABLE nonconformity_event (
    nonconformity_id INTEGER NOT NULL REFERENCES nonconformity (id),
    position         INTEGER NOT NULL,
    at               INTEGER NOT NULL,
    actor            TEXT NOT NULL,
    kind             TEXT NOT NULL,
    detail           TEXT NOT NULL,
    PRIMARY KEY (nonconformity_id, position)
) STRICT;

-- Sign-in. Only hashes of the secrets are kept.
CREATE TABLE signin_link (
    hash       BLOB NOT NULL PRIMARY KEY,
    person     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
    hash       BLOB NOT NULL PRIMARY KEY,
    data       BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_expires_at ON session (expires_at);
