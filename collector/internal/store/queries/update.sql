-- name: DropUpdateFile :exec
DELETE FROM update_file WHERE name = $1;

-- name: InsertUpdatePart :exec
INSERT INTO update_file (name, part, size, data) VALUES ($1, $2, $3, $4);

-- name: UpdatePart :one
SELECT size, data FROM update_file WHERE name = $1 AND part = $2;

-- name: InsertRelease :exec
INSERT INTO update_release (version, published_at, published_by) VALUES ($1, $2, $3) ON CONFLICT (version) DO NOTHING;

-- name: Releases :many
SELECT * FROM update_release ORDER BY published_at DESC, version DESC;

-- name: InsertStage :one
INSERT INTO update_stage (version, machine_group, share, grace_seconds, paused, created_at, created_by)
VALUES ($1, $2, $3, $4, 0, $5, $6) RETURNING id;

-- name: PauseStage :execrows
UPDATE update_stage SET paused = $1 WHERE id = $2;

-- name: Stages :many
SELECT * FROM update_stage ORDER BY id DESC LIMIT 200;

-- name: SaveUpdateProgress :exec
INSERT INTO update_progress (machine, version, system, target, phase, problem, told_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (machine) DO UPDATE SET version = excluded.version, system = excluded.system, target = excluded.target,
    phase = excluded.phase, problem = excluded.problem, told_at = excluded.told_at;

-- name: UpdateCounts :many
SELECT version, target, phase, count(*) AS machines FROM update_progress GROUP BY version, target, phase ORDER BY version, target, phase;

-- name: UpdateProblems :many
SELECT p.machine, m.hostname, p.version, p.system, p.target, p.phase, p.problem, p.told_at
FROM update_progress p JOIN machine m ON m.uuid = p.machine WHERE p.problem <> '' ORDER BY p.told_at DESC LIMIT $1;
