-- name: SiteByFold :one
SELECT * FROM site WHERE name_fold = $1;

-- name: InsertSite :one
INSERT INTO site (name, name_fold, remote, zone, inactive) VALUES ($1, $2, $3, $4, $5) RETURNING id;

-- name: UpdateSite :exec
UPDATE site SET name = $1, name_fold = $2, remote = $3, zone = $4, inactive = $5 WHERE id = $6;

-- name: ListSites :many
SELECT * FROM site ORDER BY name_fold;

-- name: AreaByFold :one
SELECT * FROM area WHERE name_fold = $1;

-- name: InsertArea :one
INSERT INTO area (name, name_fold, manager, inactive) VALUES ($1, $2, $3, $4) RETURNING id;

-- name: UpdateArea :exec
UPDATE area SET name = $1, name_fold = $2, manager = $3, inactive = $4 WHERE id = $5;

-- name: ListAreas :many
SELECT * FROM area ORDER BY name_fold;

-- name: PersonByEmail :one
SELECT * FROM person_view WHERE email = $1;

-- name: ListPeople :many
SELECT * FROM person_view ORDER BY email;

-- name: ListPeopleByRole :many
SELECT * FROM person_view WHERE role = $1 ORDER BY email;

-- name: InsertPerson :exec
INSERT INTO person (email, name, name_fold, area_id, site_id, primary_machine, primary_fold, role, active)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: UpdatePerson :exec
UPDATE person SET name = $1, name_fold = $2, area_id = $3, site_id = $4, primary_machine = $5, primary_fold = $6, role = $7, active = $8
WHERE email = $9;

-- name: PrimaryMachines :many
SELECT m.id, m.site_id, m.area_id, m.person_id, p.id AS new_person_id, p.site_id AS new_site_id, p.area_id AS new_area_id, p.email, m.person_chosen
FROM person p JOIN machine m ON m.hostname_fold = p.primary_fold
WHERE p.active AND p.primary_fold <> '' AND m.state <> 'archived'
UNION
SELECT m.id, m.site_id, m.area_id, m.person_id, p.id AS new_person_id, p.site_id AS new_site_id, p.area_id AS new_area_id, p.email, m.person_chosen
FROM person p JOIN machine m ON m.uuid = p.primary_fold
WHERE p.active AND p.primary_fold <> '' AND m.state <> 'archived'
ORDER BY 1, 8;

-- name: PrimaryOf :many
SELECT m.id, m.site_id, m.area_id, m.person_id, p.id AS new_person_id, p.site_id AS new_site_id, p.area_id AS new_area_id, p.email, m.person_chosen
FROM machine m JOIN person p ON p.primary_fold IN (m.hostname_fold, m.uuid)
WHERE p.active AND p.primary_fold <> '' AND m.uuid = $1
ORDER BY p.email
LIMIT 1;

-- name: AssignMachine :exec
UPDATE machine SET person_id = $1, site_id = $2, area_id = $3 WHERE id = $4;

-- name: DropDraftsBefore :exec
DELETE FROM import_draft WHERE expires_at <= $1 OR actor = $2;

-- name: InsertDraft :exec
INSERT INTO import_draft (id, actor, name, created_at, expires_at, sum, body) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: DraftByID :one
SELECT * FROM import_draft WHERE id = $1;

-- name: SealDraft :exec
UPDATE import_draft SET sum = $1 WHERE id = $2;

-- name: DropDraft :exec
DELETE FROM import_draft WHERE id = $1;
