-- name: InsertMail :execrows
INSERT INTO mail (key, message_id, thread, recipient, name, lang, template, subject, body_text, body_html, secret, state, attempts,
    created_at, created_by, expires_at, next_at, ended_at, problem, code, held_by, held_until, fold, digest, path)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'waiting', 0, $12, $13, $14, $15, 0, '', 0, '', 0, $16, $17, $18)
ON CONFLICT (key) DO NOTHING;

-- name: MailByKey :one
SELECT * FROM mail WHERE key = $1;

-- name: MailByRow :one
SELECT * FROM mail WHERE id = $1;

-- name: WaitingMailAt :many
SELECT id FROM mail WHERE state = 'waiting' ORDER BY next_at, id LIMIT 1 OFFSET $1;

-- name: CountMail :many
SELECT state, count(*) AS n FROM mail GROUP BY state;

-- name: OldestWaitingMail :one
SELECT cast(coalesce(min(created_at), 0) AS bigint) FROM mail WHERE state = 'waiting';

-- name: ClaimDueMail :many
UPDATE mail SET held_by = $1, held_until = $2
WHERE id IN (SELECT d.id FROM mail d WHERE d.state = 'waiting' AND d.digest = 0 AND d.next_at <= $3 AND d.held_until <= $3 AND d.expires_at > $3 ORDER BY d.next_at, d.id LIMIT $4)
    AND state = 'waiting' AND held_until <= $3
RETURNING *;

-- name: ClaimOneMail :many
UPDATE mail SET held_by = $1, held_until = $2, digest = 0 WHERE id = $3 AND state = 'waiting' AND held_until <= $4 RETURNING *;

-- name: FinishMail :execrows
UPDATE mail SET state = sqlc.arg(state), attempts = attempts + 1, next_at = sqlc.arg(next_at), ended_at = cast(sqlc.arg(ended_at) AS bigint),
    problem = sqlc.arg(problem), code = sqlc.arg(code), held_by = '', held_until = 0,
    body_text = CASE WHEN secret <> 0 AND cast(sqlc.arg(ended_at) AS bigint) <> 0 THEN '' ELSE body_text END,
    body_html = CASE WHEN secret <> 0 AND cast(sqlc.arg(ended_at) AS bigint) <> 0 THEN '' ELSE body_html END
WHERE id = sqlc.arg(id) AND state = 'waiting' AND held_by = sqlc.arg(holder);

-- name: ReleaseMail :exec
UPDATE mail SET held_by = '', held_until = 0 WHERE held_by = $1;

-- name: RetryMail :execrows
UPDATE mail SET state = 'waiting', attempts = 0, digest = 0, next_at = $1, expires_at = CASE WHEN secret <> 0 THEN expires_at ELSE $2 END, ended_at = 0
WHERE id = $3 AND state <> 'sent' AND body_text <> '' AND held_until <= $1 AND (secret = 0 OR expires_at > $1);

-- name: ExpireMail :execrows
UPDATE mail SET state = 'expired', ended_at = $1, held_by = '', held_until = 0,
    body_text = CASE WHEN secret <> 0 THEN '' ELSE body_text END, body_html = CASE WHEN secret <> 0 THEN '' ELSE body_html END
WHERE id IN (SELECT d.id FROM mail d WHERE d.state = 'waiting' AND d.digest = 0 AND d.expires_at <= $1 AND d.held_until <= $1 ORDER BY d.id LIMIT $2)
    AND state = 'waiting' AND held_until <= $1;

-- name: WipeMail :execrows
UPDATE mail SET body_text = '', body_html = ''
WHERE id IN (SELECT d.id FROM mail d WHERE d.ended_at > 0 AND d.ended_at < $1 AND d.body_text <> '' ORDER BY d.id LIMIT $2);

-- name: RemoveMail :execrows
DELETE FROM mail WHERE id IN (SELECT d.id FROM mail d WHERE d.ended_at > 0 AND d.ended_at < $1 ORDER BY d.id LIMIT $2);

-- name: DigestReaders :many
SELECT DISTINCT recipient FROM mail WHERE state = 'waiting' AND digest = 1 AND next_at <= $1 ORDER BY recipient LIMIT $2;

-- name: TakeDigest :many
UPDATE mail SET state = 'sent', ended_at = cast(sqlc.arg(now) AS bigint), attempts = 1
WHERE id IN (SELECT d.id FROM mail d WHERE d.recipient = sqlc.arg(recipient) AND d.state = 'waiting' AND d.digest = 1 AND d.next_at <= cast(sqlc.arg(now) AS bigint) ORDER BY d.id LIMIT sqlc.arg(max_rows))
    AND state = 'waiting' AND digest = 1
RETURNING *;

-- name: MergeMail :exec
UPDATE mail SET merged_into = $1 WHERE id = $2;

-- name: BounceMail :many
UPDATE mail SET state = 'bounced', ended_at = $1, problem = $2, code = $3 WHERE message_id = $4 AND state = 'sent' RETURNING *;

-- name: MailByMessageID :one
SELECT * FROM mail WHERE message_id = $1;

-- name: MailPreference :one
SELECT * FROM mail_preference WHERE person = $1;

-- name: PutMailPreference :exec
INSERT INTO mail_preference (person, delivery, quiet, quiet_from, quiet_to) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person) DO UPDATE SET delivery = excluded.delivery, quiet = excluded.quiet, quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to;

-- name: InsertReceived :execrows
INSERT INTO mail_received (message_id, sender, subject, at, outcome, object, problem, fold) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (message_id) DO NOTHING;

-- name: FinishReceived :exec
UPDATE mail_received SET outcome = $1, object = $2, problem = $3, fold = $4 WHERE message_id = $5;

-- name: PruneReceived :execrows
DELETE FROM mail_received WHERE id IN (SELECT d.id FROM mail_received d WHERE d.at < $1 ORDER BY d.at, d.id LIMIT $2);
