-- name: InsertBackup :many
INSERT INTO backup (slot, state, step, started_at, started_by, ended_at, host, file, bytes, sha256, problem, removed_at, held_until)
VALUES ($1, 'running', 'waiting', $2, $3, 0, '', '', 0, '', '', 0, 0)
ON CONFLICT (slot) DO NOTHING RETURNING id;

-- name: BackupByID :one
SELECT * FROM backup WHERE id = $1;

-- name: ListBackups :many
SELECT * FROM backup WHERE id < $1 ORDER BY id DESC LIMIT $2;

-- name: ClaimBackup :many
UPDATE backup SET host = $1, held_until = $2 WHERE id IN (SELECT b.id FROM backup b WHERE b.state = 'running' AND b.held_until <= $3 AND b.host = '' ORDER BY b.id LIMIT 1)
    AND state = 'running' AND held_until <= $3 AND host = '' RETURNING *;

-- name: InterruptBackups :execrows
UPDATE backup SET state = 'failed', ended_at = $1, problem = 'backup.interrupted', held_until = 0 WHERE state = 'running' AND host <> '' AND held_until <= $1;

-- name: StepBackup :execrows
UPDATE backup SET step = $1, file = $2, bytes = $3, held_until = $4 WHERE id = $5 AND state = 'running' AND host = $6;

-- name: FinishBackup :execrows
UPDATE backup SET state = $1, ended_at = $2, file = $3, bytes = $4, sha256 = $5, problem = $6, held_until = 0 WHERE id = $7 AND state = 'running' AND host = $8;

-- name: RemovedBackup :exec
UPDATE backup SET removed_at = $1 WHERE id = $2 AND removed_at = 0;
