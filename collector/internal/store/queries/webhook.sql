-- name: InsertWebhook :one
INSERT INTO webhook (name, name_fold, url, secret, format, kinds, lang, active, created_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id;

-- name: UpdateWebhook :execrows
UPDATE webhook SET name = $1, name_fold = $2, url = $3, secret = $4, format = $5, kinds = $6, lang = $7, active = $8 WHERE id = $9;

-- name: DeleteWebhookDeliveries :execrows
DELETE FROM webhook_delivery WHERE webhook_id = $1;

-- name: DeleteWebhook :execrows
DELETE FROM webhook WHERE id = $1;

-- name: Webhooks :many
SELECT * FROM webhook ORDER BY name_fold, id;

-- name: WebhookByID :one
SELECT * FROM webhook WHERE id = $1;

-- name: TakeOutbox :many
DELETE FROM outbox WHERE id IN (SELECT o.id FROM outbox o ORDER BY o.id LIMIT $1) RETURNING *;

-- name: InsertDelivery :one
INSERT INTO webhook_delivery (webhook_id, uuid, kind, object, body, replays, state, attempts, created_at, next_at, ended_at, status, problem, held_by, held_until)
VALUES ($1, $2, $3, $4, $5, $6, 'waiting', 0, $7, $8, 0, 0, '', '', 0) RETURNING id;

-- name: DeliveryByID :one
SELECT * FROM webhook_delivery WHERE id = $1;

-- name: ClaimDeliveries :many
UPDATE webhook_delivery SET held_by = $1, held_until = $2
WHERE id IN (SELECT d.id FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id
        WHERE d.state = 'waiting' AND d.next_at <= $3 AND d.held_until <= $3 AND w.active = 1 ORDER BY d.next_at, d.id LIMIT $4)
    AND state = 'waiting' AND held_until <= $3
RETURNING *;

-- name: FinishDelivery :execrows
UPDATE webhook_delivery SET state = $1, attempts = attempts + 1, next_at = $2, ended_at = $3, status = $4, problem = $5, held_by = '', held_until = 0
WHERE id = $6 AND state = 'waiting' AND held_by = $7;

-- name: ReleaseDeliveries :exec
UPDATE webhook_delivery SET held_by = '', held_until = 0 WHERE held_by = $1;

-- name: PruneDeliveries :execrows
DELETE FROM webhook_delivery WHERE id IN (SELECT d.id FROM webhook_delivery d WHERE d.ended_at > 0 AND d.ended_at < $1 ORDER BY d.id LIMIT $2);
