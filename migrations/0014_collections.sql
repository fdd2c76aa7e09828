-- Bytes of a registry that nothing names any more: each time that somebody lets them be freed.

CREATE TABLE registry_collection (
    id           TEXT   NOT NULL PRIMARY KEY,
    registry     TEXT   NOT NULL,
    state        TEXT   NOT NULL,               -- waiting, running, done, failed, cancelled
    phase        TEXT   NOT NULL,               -- read, find, aside, check, delete
    manifests_at BIGINT NOT NULL,               -- read
    manifests    BIGINT NOT NULL,               -- all
    layers_at    BIGINT NOT NULL,               -- of the phase
    layers       BIGINT NOT NULL,
    freed        BIGINT NOT NULL,               -- bytes
    result       TEXT   NOT NULL,               -- JSON Collected, '' until it is done
    why          TEXT   NOT NULL,               -- why it ended or does not go on, '' nothing is wrong
    by_account   TEXT   NOT NULL,
    by_name      TEXT   NOT NULL,
    asked_at     BIGINT NOT NULL,
    ended_at     BIGINT
);
CREATE INDEX registry_collection_where ON registry_collection (registry, asked_at);
-- One at a time in each.
CREATE UNIQUE INDEX registry_collection_one ON registry_collection (registry) WHERE state IN ('waiting', 'running');

-- A version that somebody deletes by hand: the tags that he saw go with it, with blanks
-- between; '' of what goes by a rule.
ALTER TABLE retention_run ADD COLUMN by_hand TEXT NOT NULL DEFAULT '';
