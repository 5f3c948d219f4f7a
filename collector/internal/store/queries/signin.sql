-- name: InsertSigninLink :exec
INSERT INTO signin_link (hash, person, purpose, created_at, created_by, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: SigninLink :one
SELECT * FROM signin_link WHERE hash = $1;

-- name: UseSigninLink :execrows
UPDATE signin_link SET used_at = $1 WHERE hash = $2 AND used_at = 0 AND expires_at > $3;

-- name: DropSigninLinks :exec
DELETE FROM signin_link WHERE person = $1 AND used_at = 0;

-- name: PruneSigninLinks :exec
DELETE FROM signin_link WHERE expires_at < $1;

-- name: SessionByHash :one
SELECT data FROM session WHERE hash = $1 AND expires_at > $2;

-- name: SaveSession :exec
INSERT INTO session (hash, data, expires_at) VALUES ($1, $2, $3)
ON CONFLICT (hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at;

-- name: DeleteSession :exec
DELETE FROM session WHERE hash = $1;

-- name: PruneSessions :execrows
DELETE FROM session WHERE expires_at <= $1;
