-- name: NameCertificateIssuer :exec
UPDATE certificate SET issuer = $1 WHERE issuer = '';

-- name: CertificateBySerial :one
SELECT c.serial, m.uuid, c.not_before, c.not_after, c.revoked_at, c.issuer
FROM certificate c JOIN machine m ON m.id = c.machine_id WHERE c.serial = $1;

-- name: RevokeCertificate :exec
UPDATE certificate SET revoked_at = $1 WHERE serial = $2 AND revoked_at = 0;

-- name: SaveCollector :exec
INSERT INTO collector (id, host, listens, version, started_at, alive_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET alive_at = excluded.alive_at, listens = excluded.listens;

-- name: PruneCollectors :exec
DELETE FROM collector WHERE alive_at < $1 AND started_at < $1 AND id NOT IN (SELECT collector_id FROM agent);

-- name: ListCollectors :many
SELECT c.id, c.host, c.listens, c.version, c.started_at, c.alive_at,
    cast((SELECT count(*) FROM agent a WHERE a.collector_id = c.id AND a.ended_at = 0) AS BIGINT) AS connected
FROM collector c ORDER BY c.started_at DESC, c.id;
