-- +goose Up
-- What kind of program a finding is about and how grave that is (authorization.Severity's
-- rank: 0 is not graded yet), by which version of the catalogue, and the finding it came
-- along with: that of the program somebody asked for.
ALTER TABLE finding ADD COLUMN category TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN severity INTEGER NOT NULL DEFAULT 0;
ALTER TABLE finding ADD COLUMN graded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE finding ADD COLUMN parent_id INTEGER NOT NULL DEFAULT 0;
CREATE INDEX finding_severity ON finding (severity, id);
CREATE INDEX finding_graded ON finding (graded, id);
CREATE INDEX finding_parent ON finding (parent_id) WHERE parent_id > 0;

-- The catalogue of severities, every version of it, as JSON.
CREATE TABLE severity_catalogue (
    version    INTEGER NOT NULL PRIMARY KEY CHECK (version > 0),
    body       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    cause      TEXT NOT NULL,
    undoes     INTEGER NOT NULL
) STRICT;
