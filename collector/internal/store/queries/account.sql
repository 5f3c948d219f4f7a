-- name: AccountByPerson :one
SELECT * FROM account WHERE person = $1;

-- name: SaveAccount :exec
INSERT INTO account (person, password, password_at, totp, totp_at, totp_step, language, theme) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (person) DO UPDATE SET password = excluded.password, password_at = excluded.password_at, totp = excluded.totp, totp_at = excluded.totp_at,
    totp_step = excluded.totp_step, language = excluded.language, theme = excluded.theme;

-- name: UseTOTPStep :execrows
UPDATE account SET totp_step = $1 WHERE person = $2 AND totp_step < $3;

-- name: DropAccountCodes :exec
DELETE FROM account_code WHERE person = $1;

-- name: InsertAccountCode :exec
INSERT INTO account_code (person, hash, used_at) VALUES ($1, $2, $3);

-- name: UseAccountCode :execrows
UPDATE account_code SET used_at = $1 WHERE person = $2 AND hash = $3 AND used_at = 0;

-- name: AccountCodesLeft :one
SELECT count(*) FROM account_code WHERE person = $1 AND used_at = 0;

-- name: InsertAccountSession :exec
INSERT INTO account_session (id, person, method, coded, device, address, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: AccountSession :one
SELECT * FROM account_session WHERE id = $1;

-- name: TouchAccountSession :exec
UPDATE account_session SET seen_at = $1 WHERE id = $2;

-- name: ListAccountSessions :many
SELECT * FROM account_session WHERE person = $1 ORDER BY seen_at DESC, id LIMIT 1000;

-- name: ListAllAccountSessions :many
SELECT * FROM account_session ORDER BY seen_at DESC, id LIMIT 1000;

-- name: DropAccountSession :exec
DELETE FROM account_session WHERE id = $1;

-- name: DropAccountSessions :execrows
DELETE FROM account_session WHERE person = $1 AND id <> $2;

-- name: PruneAccountSessions :exec
DELETE FROM account_session WHERE expires_at <= $1;

-- name: TakeAccountBucket :execrows
INSERT INTO account_bucket (key, until) VALUES ($1, $2)
ON CONFLICT (key) DO UPDATE SET until = CASE WHEN account_bucket.until > $3 THEN account_bucket.until ELSE $3 END + cast($4 AS BIGINT)
WHERE account_bucket.until <= $5;

-- name: AccountBucket :one
SELECT until FROM account_bucket WHERE key = $1;

-- name: GiveBackAccountBucket :exec
UPDATE account_bucket SET until = until - $1 WHERE key = $2;

-- name: PruneAccountBuckets :exec
DELETE FROM account_bucket WHERE until <= $1;

-- name: KnowsAccountDevice :one
SELECT count(*) FROM account_device WHERE person = $1 AND hash = $2;

-- name: SaveAccountDevice :exec
INSERT INTO account_device (person, hash, seen_at) VALUES ($1, $2, $3) ON CONFLICT (person, hash) DO UPDATE SET seen_at = excluded.seen_at;

-- name: DropAccountDevices :exec
DELETE FROM account_device WHERE person = $1 AND hash <> $2;

-- name: PruneAccountDevices :exec
DELETE FROM account_device WHERE seen_at < $1;
