-- name: ListSettings :many
SELECT * FROM setting ORDER BY name;

-- name: PutSetting :exec
INSERT INTO setting (name, value, changed_at, changed_by) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at, changed_by = excluded.changed_by;

-- name: DeleteSetting :exec
DELETE FROM setting WHERE name = $1;
