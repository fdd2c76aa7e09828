-- Recipes: images that are described in a form, and what was built from them. Their files and
-- what a build has said lie below the data folder.

CREATE TABLE recipe (
    id              TEXT   NOT NULL PRIMARY KEY,
    base_repository TEXT   NOT NULL,            -- in our own registry
    base_tag        TEXT   NOT NULL,
    repository      TEXT   NOT NULL,            -- where it goes, as typed
    tag             TEXT   NOT NULL,
    recipe          TEXT   NOT NULL,            -- JSON: what was typed, right or wrong
    files           TEXT   NOT NULL,            -- JSON: path, bytes, sha256, executable
    by_account      TEXT   NOT NULL,
    by_name         TEXT   NOT NULL,
    changed_at      BIGINT NOT NULL,
    ended_at        BIGINT                      -- somebody has taken it away
);
CREATE INDEX recipe_whose ON recipe (by_account, changed_at);

CREATE TABLE build (
    id          TEXT   NOT NULL PRIMARY KEY,    -- the recipe's, a hyphen, the number
    recipe      TEXT   NOT NULL REFERENCES recipe (id),
    number      BIGINT NOT NULL,
    asked       TEXT   NOT NULL,                -- JSON: what was typed when it was asked for
    files       TEXT   NOT NULL,                -- JSON
    base_digest TEXT   NOT NULL,
    host        TEXT   NOT NULL,                -- the agent's name
    holder      TEXT   NOT NULL,                -- the process on whose disk the files lie
    labels      TEXT   NOT NULL,                -- JSON: labels that it gets
    repository  TEXT   NOT NULL,
    tag         TEXT   NOT NULL,
    state       TEXT   NOT NULL,                -- waiting, running, done, failed, cancelled
    digest      TEXT   NOT NULL,                -- '' until it is there
    step        BIGINT NOT NULL,
    steps       BIGINT NOT NULL,
    pushed      BIGINT NOT NULL,                -- bytes
    pushed_of   BIGINT NOT NULL,
    why         TEXT   NOT NULL,
    by_account  TEXT   NOT NULL,
    by_name     TEXT   NOT NULL,
    asked_at    BIGINT NOT NULL,
    ended_at    BIGINT,
    UNIQUE (recipe, number)
);
CREATE INDEX build_made ON build (digest);
-- Two people who want the same version: one of them is told.
CREATE UNIQUE INDEX build_one ON build (repository, tag) WHERE state IN ('waiting', 'running');
