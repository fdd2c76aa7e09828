-- Versions that are taken out of a repository because nothing needs them: each time that
-- somebody lets it be done, and what became of each digest.

CREATE TABLE retention_run (
    id         TEXT   NOT NULL PRIMARY KEY,
    registry   TEXT   NOT NULL,
    repository TEXT   NOT NULL,
    newest     BIGINT NOT NULL,                 -- so many stay in any case
    days       BIGINT NOT NULL,                 -- what is younger stays
    by_account TEXT   NOT NULL,
    by_name    TEXT   NOT NULL,
    asked_at   BIGINT NOT NULL,
    ended_at   BIGINT,
    why        TEXT   NOT NULL                  -- why it does not go on, '' when it does
);
CREATE INDEX retention_run_where ON retention_run (registry, repository, asked_at);

CREATE TABLE retention_item (
    run        TEXT   NOT NULL REFERENCES retention_run (id),
    digest     TEXT   NOT NULL,
    bytes      BIGINT NOT NULL,
    state      TEXT   NOT NULL,                 -- waiting, gone, kept
    PRIMARY KEY (run, digest)
);
