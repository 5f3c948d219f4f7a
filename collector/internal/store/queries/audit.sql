-- name: LastAuditEntry :one
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1;

-- name: InsertAuditEntry :exec
INSERT INTO audit (seq, at, actor, action, object, before_json, after_json, prev, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: AuditEntries :many
SELECT * FROM audit WHERE seq >= sqlc.arg(first) ORDER BY seq LIMIT cast(sqlc.arg(max_rows) AS BIGINT);

-- name: InsertAuditProof :exec
INSERT INTO audit_proof (started_at, ended_at, started_by, entries, of_entries, head, broken_at, problem)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
