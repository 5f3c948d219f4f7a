-- name: InsertDecision :one
INSERT INTO review_decision (kind, decided_at, decided_by, programs, choices, findings, machines, version, until, undone_at, undone_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '') RETURNING id;

-- name: DecisionByID :one
SELECT * FROM review_decision WHERE id = $1;

-- name: DecisionsBy :many
SELECT * FROM review_decision WHERE decided_by = $1 AND undone_at = 0 AND decided_at >= $2 ORDER BY id DESC LIMIT $3;

-- name: DecisionsOn :many
SELECT d.* FROM review_decision d JOIN review_finding r ON r.decision_id = d.id WHERE r.finding_id = $1 ORDER BY d.id DESC LIMIT $2;

-- name: UndoDecision :execrows
UPDATE review_decision SET undone_at = $1, undone_by = $2 WHERE id = $3 AND undone_at = 0;

-- name: CountChoices :one
SELECT cast(coalesce(sum(choices), 0) AS BIGINT) AS choices FROM review_decision WHERE decided_at >= $1 AND undone_at = 0;

-- name: TakeUp :exec
DELETE FROM review_later WHERE decision_id = $1;
