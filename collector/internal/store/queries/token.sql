-- name: InsertToken :one
INSERT INTO token (secret_hash, site, area, uses_left, expires_at, serials, created_at, created_by, revoked_at, note, ca, uses)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id;

-- name: ListTokens :many
SELECT * FROM token ORDER BY id DESC;

-- name: TokenByID :one
SELECT * FROM token WHERE id = $1;

-- name: TokenBySecret :one
SELECT * FROM token WHERE secret_hash = $1;

-- name: UseToken :execrows
UPDATE token SET uses_left = uses_left - 1 WHERE id = $1 AND uses_left > 0;

-- name: RevokeToken :exec
UPDATE token SET revoked_at = $1 WHERE id = $2;

-- name: NameTokenCA :exec
UPDATE token SET ca = $1 WHERE ca = '';
