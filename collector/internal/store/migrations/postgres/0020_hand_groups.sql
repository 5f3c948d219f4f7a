-- +goose Up
-- Names of groups by hand, for lists that offer them: few machines have any, and a
-- list of 100,000 must not look at all of them.
CREATE INDEX machine_hand_groups ON machine (group_names) WHERE group_names <> '[]';

-- +goose Down
DROP INDEX machine_hand_groups;
