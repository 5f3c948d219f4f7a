-- +goose Up
-- When opening was last resumed: what was opened before does not count for the cap again.
ALTER TABLE brake ADD COLUMN resumed_at INTEGER NOT NULL DEFAULT 0;
