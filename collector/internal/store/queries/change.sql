-- name: InsertChange :exec
INSERT INTO change (kind, subject, at) VALUES ($1, $2, $3);

-- name: PruneChanges :exec
DELETE FROM change WHERE at < $1;

-- name: ChangesSince :many
SELECT * FROM change WHERE seq > $1 ORDER BY seq LIMIT 10000;

-- name: InsertCommand :exec
INSERT INTO command (id, machine_id, kind, args, created_at, created_by, done_at, ok, problem)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: PendingCommands :many
SELECT c.* FROM command c JOIN machine m ON m.id = c.machine_id
WHERE m.uuid = $1 AND c.done_at = 0 ORDER BY c.created_at, c.id;

-- name: CommandByID :one
SELECT * FROM command WHERE id = $1;

-- name: FinishCommand :exec
UPDATE command SET done_at = $1, ok = $2, problem = $3 WHERE id = $4 AND done_at = 0;

-- name: BlobByName :one
SELECT value FROM blob WHERE name = $1;

-- name: InsertBlob :exec
INSERT INTO blob (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value;
