-- name: InsertMachine :one
INSERT INTO machine (uuid, hostname, hostname_fold, serial, serial_fold, hardware_uuid, machine_id, os,
    site_id, area_id, person_id, state, state_reason, state_at, enrolled_at, programs, findings)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
RETURNING id;

-- name: MachineByUUID :one
SELECT * FROM machine_view WHERE uuid = $1;

-- name: MachineRow :one
SELECT id FROM machine WHERE uuid = $1;

-- name: MachinesByHostname :many
SELECT * FROM machine_view WHERE hostname_fold = $1 ORDER BY uuid LIMIT 100;

-- name: MachineByHardware :one
SELECT * FROM machine_view WHERE serial = $1 AND hardware_uuid = $2
ORDER BY CASE state WHEN 'active' THEN 0 WHEN 'quarantined' THEN 1 WHEN 'archived' THEN 2 ELSE 3 END, id DESC LIMIT 1;

-- name: UpdateMachineFacts :exec
UPDATE machine SET hostname = $1, hostname_fold = $2, serial = $3, serial_fold = $4, hardware_uuid = $5, machine_id = $6, os = $7
WHERE uuid = $8;

-- name: UpdateMachineState :exec
UPDATE machine SET state_before = state, state = $1, state_reason = $2, state_at = $3 WHERE uuid = $4;

-- name: UpdateMachineGroups :exec
UPDATE machine SET group_names = $1 WHERE uuid = $2;

-- name: RevokeMachineCertificates :exec
UPDATE certificate SET revoked_at = $1 WHERE machine_id = $2 AND revoked_at = 0;

-- name: RestoreMachineCertificates :exec
UPDATE certificate SET revoked_at = 0 WHERE machine_id = $1 AND revoked_at = $2;

-- name: InsertCertificate :exec
INSERT INTO certificate (serial, machine_id, not_before, not_after, revoked_at, issuer) VALUES ($1, $2, $3, $4, $5, $6);

-- name: CertificatesOf :many
SELECT * FROM certificate WHERE machine_id = $1 ORDER BY not_before DESC, serial;

-- name: RevokedSerials :many
SELECT serial FROM certificate WHERE revoked_at <> 0 AND not_after > $1 ORDER BY serial;
