-- +goose Up
-- Groups of a machine, for the scope of rules: a JSON array of names, sorted, none twice.
-- failing is how many of its sources were not read the last time (failed or stale), kept
-- as reports come in.
ALTER TABLE machine ADD COLUMN group_names TEXT NOT NULL DEFAULT '[]';
ALTER TABLE machine ADD COLUMN failing BIGINT NOT NULL DEFAULT 0;

DROP VIEW machine_view;
CREATE VIEW machine_view AS
SELECT m.id, m.uuid, m.hostname, m.serial, m.hardware_uuid, m.machine_id, m.os,
       cast(coalesce(s.name, '') AS TEXT) AS site, cast(coalesce(a.name, '') AS TEXT) AS area,
       cast(coalesce(p.email, '') AS TEXT) AS person, m.state, m.state_reason, m.state_at, m.enrolled_at,
       cast(coalesce(n.last_seen, 0) AS BIGINT) AS last_seen, cast(coalesce(n.last_report, 0) AS BIGINT) AS last_report,
       cast(coalesce(n.agent_version, '') AS TEXT) AS agent_version, cast(coalesce(n.spooled, 0) AS BIGINT) AS spooled,
       m.programs, m.findings, m.hostname_fold, m.serial_fold, m.site_id, m.area_id, m.person_id, m.group_names, m.failing,
       s.name_fold AS site_fold, a.name_fold AS area_fold, p.name_fold AS person_fold
FROM machine m
    LEFT JOIN site s ON s.id = m.site_id
    LEFT JOIN area a ON a.id = m.area_id
    LEFT JOIN person p ON p.id = m.person_id
    LEFT JOIN machine_seen n ON n.machine_id = m.id;
