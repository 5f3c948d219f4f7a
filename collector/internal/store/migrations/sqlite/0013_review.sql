-- +goose Up
-- What people decided of open findings, so that every step can be taken back: kind is
-- "authorize" (the allowlist's version says how), "record" or "later"; programs is a JSON
-- array of some names. undone_at is 0 while the decision stands.
CREATE TABLE review_decision (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind       TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    decided_by TEXT NOT NULL,
    programs   TEXT NOT NULL,
    choices    INTEGER NOT NULL,
    findings   INTEGER NOT NULL,
    machines   INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    undone_at  INTEGER NOT NULL,
    undone_by  TEXT NOT NULL
) STRICT;
CREATE INDEX review_decision_at ON review_decision (decided_at);
CREATE INDEX review_decision_by ON review_decision (decided_by, id);

CREATE TABLE review_finding (
    decision_id INTEGER NOT NULL REFERENCES review_decision (id),
    finding_id  INTEGER NOT NULL REFERENCES finding (id),
    PRIMARY KEY (decision_id, finding_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX review_finding_of ON review_finding (finding_id);

-- Findings that were put off: they wait outside the queue until then.
CREATE TABLE review_later (
    finding_id  INTEGER NOT NULL PRIMARY KEY REFERENCES finding (id),
    decision_id INTEGER NOT NULL REFERENCES review_decision (id),
    until       INTEGER NOT NULL
) STRICT;
CREATE INDEX review_later_decision ON review_later (decision_id);

-- The queue counts open findings by program from this index alone. What is the same in
-- all of it stands first: without statistics SQLite takes the index with more equalities.
CREATE INDEX finding_undecided ON finding (state, nonconformity, item_id, verdict, rule, first_seen, id, machine_id) WHERE state = 'open' AND nonconformity = '';
