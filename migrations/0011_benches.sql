-- Workbenches: containers in which a person changes a middleware, the versions that are made
-- of them, and what their terminals showed (the bytes are files below the data folder).

CREATE TABLE bench (
    id         TEXT   NOT NULL PRIMARY KEY,
    repository TEXT   NOT NULL,                 -- in our own registry
    tag        TEXT   NOT NULL,                 -- as it was chosen
    digest     TEXT   NOT NULL,                 -- what that named
    pool       TEXT   NOT NULL,
    host       TEXT   NOT NULL,                 -- the agent's name
    cpu_milli  BIGINT NOT NULL,
    mem_mib    BIGINT NOT NULL,
    state      TEXT   NOT NULL,                 -- starting, open, ending, ended
    why        TEXT   NOT NULL,                 -- why it does not go on, '' when it does
    by_account TEXT   NOT NULL,
    by_name    TEXT   NOT NULL,
    asked_at   BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE INDEX bench_whose ON bench (by_account, asked_at);

CREATE TABLE bench_commit (
    id          TEXT   NOT NULL PRIMARY KEY,
    bench       TEXT   NOT NULL REFERENCES bench (id),
    repository  TEXT   NOT NULL,
    tag         TEXT   NOT NULL,
    digest      TEXT   NOT NULL,                -- '' until it is there
    description TEXT   NOT NULL,
    leave_out   BIGINT NOT NULL,                -- 1: what should not go into an image is left out
    labels      TEXT   NOT NULL,                -- JSON: labels that it gets
    state       TEXT   NOT NULL,                -- open, done, failed
    pushed      BIGINT NOT NULL,                -- bytes
    pushed_of   BIGINT NOT NULL,
    why         TEXT   NOT NULL,
    changes     TEXT   NOT NULL,                -- JSON: what was changed
    left_out    TEXT   NOT NULL,                -- JSON: paths
    by_account  TEXT   NOT NULL,
    by_name     TEXT   NOT NULL,
    asked_at    BIGINT NOT NULL,
    ended_at    BIGINT
);
CREATE INDEX bench_commit_of ON bench_commit (bench, asked_at);
CREATE INDEX bench_commit_made ON bench_commit (digest);
-- Two people who want the same version: one of them is told.
CREATE UNIQUE INDEX bench_commit_one ON bench_commit (repository, tag) WHERE state = 'open';

CREATE TABLE bench_record (
    bench      TEXT   NOT NULL REFERENCES bench (id),
    number     BIGINT NOT NULL,
    by_account TEXT   NOT NULL,
    by_name    TEXT   NOT NULL,
    began_at   BIGINT NOT NULL,
    ended_at   BIGINT,
    PRIMARY KEY (bench, number)
);
