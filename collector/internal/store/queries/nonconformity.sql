-- name: NextNonconformityNumber :one
INSERT INTO nonconformity_counter (year, last) VALUES ($1, 1)
ON CONFLICT (year) DO UPDATE SET last = nonconformity_counter.last + 1
RETURNING last;

-- name: InsertNonconformity :one
INSERT INTO nonconformity (number, year, counter, state, machine_id, hostname, person, person_name, area, site,
    search, opened_at, contained_at, recurrences, severity, round, round_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
RETURNING id;

-- name: JoinableNonconformity :one
SELECT number FROM nonconformity
WHERE machine_id = $1 AND person = $2 AND state IN ('open', 'notified') AND opened_at >= $3
ORDER BY id DESC LIMIT 1;

-- name: UpdateNonconformity :exec
UPDATE nonconformity SET state = $1, contained_at = $2, recurrences = $3, search = $4 WHERE id = $5;

-- name: UpdateLife :exec
UPDATE nonconformity SET severity = $1, round = $2, round_at = $3, notified_at = $4, cause_at = $5, planned_at = $6, implemented_at = $7,
    verified_at = $8, ended_at = $9, plan_by = $10, until_at = $11, awaited = $12, due_at = $13, next_at = $14, anchored = $15
WHERE id = $16;

-- name: InsertStep :exec
INSERT INTO nonconformity_step (nonconformity_id, position, kind, round, part, author, author_name, on_behalf, at, address, answer, document, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: InsertNotice :exec
INSERT INTO nonconformity_notice (nonconformity_id, position, round, step, since, level, at) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: DueNonconformities :many
SELECT number FROM nonconformity WHERE next_at <= $1 ORDER BY next_at, id LIMIT $2;

-- name: LastLook :one
SELECT cast(coalesce(s.looked_at, 0) AS BIGINT) AS looked_at, m.state, w.report_id
FROM machine m LEFT JOIN machine_seen s ON s.machine_id = m.id LEFT JOIN machine_software w ON w.machine_id = m.id
WHERE m.uuid = $1;

-- name: AddNonconformityFile :exec
INSERT INTO nonconformity_file (nonconformity_id, hash, name, type, scan, added_at, size, content)
SELECT n.id, $1, $2, $3, $4, $5, $6, $7 FROM nonconformity n WHERE n.number = $8
ON CONFLICT (nonconformity_id, hash) DO NOTHING;

-- name: NonconformityFile :one
SELECT f.name, f.type, f.scan, f.size, f.hash, f.content FROM nonconformity_file f JOIN nonconformity n ON n.id = f.nonconformity_id
WHERE n.number = $1 AND f.hash = $2;

-- name: NonconformityFilesSize :one
SELECT cast(coalesce(sum(f.size), 0) AS BIGINT) AS bytes, count(*) AS files
FROM nonconformity_file f JOIN nonconformity n ON n.id = f.nonconformity_id WHERE n.number = $1;

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

-- name: CalendarDays :many
SELECT site, day, working, name FROM calendar_day WHERE site = $1 OR site = '' ORDER BY day, site;

-- name: SaveCalendarDay :exec
INSERT INTO calendar_day (site, day, working, name) VALUES ($1, $2, $3, $4)
ON CONFLICT (site, day) DO UPDATE SET working = excluded.working, name = excluded.name;

-- name: RemoveCalendarDay :exec
DELETE FROM calendar_day WHERE site = $1 AND day = $2;
