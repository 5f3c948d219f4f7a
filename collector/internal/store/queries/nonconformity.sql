-- name: NextNonconformityNumber :one
INSERT INTO nonconformity_counter (year, last) VALUES ($1, 1)
ON CONFLICT (year) DO UPDATE SET last = nonconformity_counter.last + 1
RETURNING last;

-- name: InsertNonconformity :one
INSERT INTO nonconformity (number, year, counter, state, machine_id, hostname, person, person_name, area, site,
    search, opened_at, contained_at, recurrences)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
RETURNING id;

-- name: JoinableNonconformity :one
SELECT number FROM nonconformity
WHERE machine_id = $1 AND person = $2 AND state = 'open' AND opened_at >= $3
ORDER BY id DESC LIMIT 1;

-- name: UpdateNonconformity :exec
UPDATE nonconformity SET state = $1, contained_at = $2, recurrences = $3, search = $4 WHERE id = $5;

-- name: InsertParty :exec
INSERT INTO nonconformity_party (nonconformity_id, position, part, email, name) VALUES ($1, $2, $3, $4, $5);

-- name: InsertProgram :exec
INSERT INTO nonconformity_program (nonconformity_id, position, finding, name, version, source, state, gone_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: UpdateProgram :exec
UPDATE nonconformity_program SET finding = $1, name = $2, version = $3, source = $4, state = $5, gone_at = $6
WHERE nonconformity_id = $7 AND position = $8;

-- name: InsertEvidence :exec
INSERT INTO nonconformity_evidence (nonconformity_id, position, kind, finding, report, at, program, source, path, sha256)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: InsertNonconformityEvent :exec
INSERT INTO nonconformity_event (nonconformity_id, position, at, actor, kind, detail) VALUES ($1, $2, $3, $4, $5, $6);

-- name: NumberingProblems :many
SELECT c.year, c.last, cast(coalesce(max(n.counter), 0) AS BIGINT) AS highest, count(n.id) AS records
FROM nonconformity_counter c LEFT JOIN nonconformity n ON n.year = c.year
GROUP BY c.year, c.last
HAVING c.last <> count(n.id) OR c.last <> coalesce(max(n.counter), 0)
ORDER BY c.year;
