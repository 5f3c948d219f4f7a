-- +goose Up
-- Groups of machines: by hand (rule is empty), or by a rule, JSON of fleet.Rule. A group
-- that was only ever named when a machine was put into it has no row.
CREATE TABLE machine_group (
    id         INTEGER NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    name_fold  TEXT NOT NULL UNIQUE,
    about      TEXT NOT NULL,
    rule       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT;

-- model is maker and model as the hardware tells; tag_names a JSON array of names,
-- sorted, none twice; group_names are the groups by hand. person_chosen says that
-- somebody chose who answers for it, whatever the directory says of primary machines.
ALTER TABLE machine ADD COLUMN model TEXT NOT NULL DEFAULT '';
ALTER TABLE machine ADD COLUMN tag_names TEXT NOT NULL DEFAULT '[]';
ALTER TABLE machine ADD COLUMN state_before TEXT NOT NULL DEFAULT '';
ALTER TABLE machine ADD COLUMN person_chosen INTEGER NOT NULL DEFAULT 0;
CREATE INDEX command_machine ON command (machine_id, created_at);

DROP VIEW machine_view;
CREATE VIEW machine_view AS
SELECT m.id, m.uuid, m.hostname, m.serial, m.hardware_uuid, m.machine_id, m.os,
       cast(coalesce(s.name, '') AS TEXT) AS site, cast(coalesce(a.name, '') AS TEXT) AS area,
       cast(coalesce(p.email, '') AS TEXT) AS person, m.state, m.state_reason, m.state_at, m.enrolled_at,
       cast(coalesce(n.last_seen, 0) AS INTEGER) AS last_seen, cast(coalesce(n.last_report, 0) AS INTEGER) AS last_report,
       cast(coalesce(n.agent_version, '') AS TEXT) AS agent_version, cast(coalesce(n.spooled, 0) AS INTEGER) AS spooled,
       m.programs, m.findings, m.hostname_fold, m.serial_fold, m.site_id, m.area_id, m.person_id, m.group_names, m.failing,
       m.model, m.tag_names, m.state_before,
       s.name_fold AS site_fold, a.name_fold AS area_fold, p.name_fold AS person_fold
FROM machine m
    LEFT JOIN site s ON s.id = m.site_id
    LEFT JOIN area a ON a.id = m.area_id
    LEFT JOIN person p ON p.id = m.person_id
    LEFT JOIN machine_seen n ON n.machine_id = m.id;
