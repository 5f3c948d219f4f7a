-- +goose Up
-- Titles: names and publishers as the console shows them, after the rules that merge and
-- rename what machines tell. A software_title, which is as it was told, belongs to one
-- title (shown_id). machines is on how many machines the title is, kept as reports come in.
CREATE TABLE title (
    id             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name           TEXT NOT NULL,
    publisher      TEXT NOT NULL,
    name_fold      TEXT NOT NULL,
    publisher_fold TEXT NOT NULL,
    machines       INTEGER NOT NULL CHECK (machines >= 0),
    first_seen     INTEGER NOT NULL,
    UNIQUE (name, publisher)
) STRICT;
CREATE INDEX title_fold ON title (name_fold, id);

ALTER TABLE software_title ADD COLUMN shown_id INTEGER NOT NULL DEFAULT 0;
INSERT INTO title (name, publisher, name_fold, publisher_fold, machines, first_seen)
SELECT name, publisher, name_fold, fold(publisher), 0, 0 FROM software_title ORDER BY id;
UPDATE software_title SET shown_id = (SELECT t.id FROM title t WHERE t.name = software_title.name AND t.publisher = software_title.publisher);
CREATE INDEX software_title_shown ON software_title (shown_id);
CREATE INDEX item_version ON item (version_id);

-- The rules, every version of them, as JSON.
CREATE TABLE title_rules (
    version    INTEGER NOT NULL PRIMARY KEY CHECK (version > 0),
    rules      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    cause      TEXT NOT NULL,
    undoes     INTEGER NOT NULL
) STRICT;

-- One row: whether titles that were there before this migration are still to be counted.
CREATE TABLE title_state (
    id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    uncounted INTEGER NOT NULL
) STRICT;
INSERT INTO title_state (id, uncounted) SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM title) THEN 1 ELSE 0 END;
