-- name: CurrentAllowlist :one
SELECT * FROM allowlist ORDER BY version DESC LIMIT 1;

-- name: AllowlistVersion :one
SELECT * FROM allowlist WHERE version = $1;

-- name: CurrentAllowlistVersion :one
SELECT cast(coalesce(max(version), 0) AS BIGINT) AS version FROM allowlist;

-- name: AllowlistHistory :many
SELECT version, mode, baseline, created_at, created_by, cause, undoes FROM allowlist ORDER BY version DESC LIMIT cast(sqlc.arg(max_rows) AS BIGINT);

-- name: InsertAllowlist :exec
INSERT INTO allowlist (version, mode, baseline, rules, created_at, created_by, cause, undoes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
