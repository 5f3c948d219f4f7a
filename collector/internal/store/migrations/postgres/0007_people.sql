-- +goose Up
-- Sites have a time zone of their own; sites and areas that are no longer offered stay
-- with what belongs to them.
ALTER TABLE site ADD COLUMN zone TEXT NOT NULL DEFAULT '';
ALTER TABLE site ADD COLUMN inactive BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE area ADD COLUMN inactive BOOLEAN NOT NULL DEFAULT false;
CREATE INDEX area_manager ON area (manager);
CREATE INDEX person_name ON person (name_fold, id);
CREATE INDEX person_area ON person (area_id);
CREATE INDEX person_site ON person (site_id);

-- Files of people that somebody looked at and has not confirmed yet: one of each actor,
-- until expires_at.
CREATE TABLE import_draft (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    actor      TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    sum        BYTEA NOT NULL,
    body       BYTEA NOT NULL
);
