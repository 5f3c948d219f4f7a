-- +goose Up
-- Webhooks: addresses of other systems that are told of events. secret is sealed (see
-- setting.Key); kinds are patterns such as "nonconformity.*", one a line.
CREATE TABLE webhook (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    name_fold  TEXT NOT NULL UNIQUE,
    url        TEXT NOT NULL,
    secret     TEXT NOT NULL,
    format     TEXT NOT NULL CHECK (format IN ('event', 'chat')),
    kinds      TEXT NOT NULL,
    lang       TEXT NOT NULL,
    active     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT;

-- Events that active webhooks are still to be told of, written by the triggers below in
-- the transaction of the event; a collector turns them into deliveries and removes them.
-- What happens to a nonconformity is told by its own history, not by the audit chain too.
CREATE TABLE outbox (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    object TEXT NOT NULL,
    actor  TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

-- What each webhook was told, and what became of it. uuid is the same for every webhook
-- told of one event, and for each try.
CREATE TABLE webhook_delivery (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    webhook_id INTEGER NOT NULL REFERENCES webhook (id),
    uuid       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    object     TEXT NOT NULL,
    body       TEXT NOT NULL,
    replays    INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    problem    TEXT NOT NULL,
    held_by    TEXT NOT NULL,
    held_until INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_delivery_due ON webhook_delivery (next_at, id) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_hook ON webhook_delivery (webhook_id, id);
CREATE INDEX webhook_delivery_state ON webhook_delivery (state, id);
CREATE INDEX webhook_delivery_ended ON webhook_delivery (ended_at, id) WHERE ended_at > 0;

-- +goose StatementBegin
CREATE TRIGGER outbox_audit AFTER INSERT ON audit WHEN NEW.action NOT LIKE 'nonconformity.%' AND EXISTS (SELECT 1 FROM webhook WHERE active = 1)
BEGIN
    INSERT INTO outbox (at, kind, object, actor, detail) VALUES (NEW.at, NEW.action, NEW.object, NEW.actor, '');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER outbox_finding AFTER INSERT ON finding WHEN EXISTS (SELECT 1 FROM webhook WHERE active = 1)
BEGIN
    INSERT INTO outbox (at, kind, object, actor, detail) VALUES (NEW.found_at, 'finding.opened', 'finding/' || NEW.id, 'system', '');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER outbox_nonconformity AFTER INSERT ON nonconformity_event WHEN EXISTS (SELECT 1 FROM webhook WHERE active = 1)
BEGIN
    INSERT INTO outbox (at, kind, object, actor, detail)
    SELECT NEW.at, 'nonconformity.' || NEW.kind, n.number, NEW.actor, NEW.detail FROM nonconformity n WHERE n.id = NEW.nonconformity_id;
END;
-- +goose StatementEnd
