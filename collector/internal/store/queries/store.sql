-- name: Ping :one
SELECT cast(1 AS BIGINT) AS one;
