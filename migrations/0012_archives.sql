-- Images that people bring in as one file. The file lies below the data folder of `holder`,
-- under the row's id, while the state is waiting or running.

CREATE TABLE image_archive (
    id         TEXT   NOT NULL PRIMARY KEY,
    registry   TEXT   NOT NULL,
    repository TEXT   NOT NULL,
    tag        TEXT   NOT NULL,                 -- '' when something is wrong with the file
    team       TEXT   NOT NULL,                 -- whose repository it is, '' everybody's
    holder     TEXT   NOT NULL,                 -- which machine and data folder
    file_name  TEXT   NOT NULL,
    bytes      BIGINT NOT NULL,                 -- of the file, unpacked
    named      TEXT   NOT NULL,                 -- the image's name in it
    platforms  TEXT   NOT NULL,                 -- JSON list
    runs_here  BIGINT NOT NULL,                 -- 1: hosts here run it
    digest     TEXT   NOT NULL,                 -- '' until it is there
    state      TEXT   NOT NULL,                 -- waiting, running, done, failed, cancelled
    dealt_with BIGINT NOT NULL,                 -- bytes of its blobs
    deal_with  BIGINT NOT NULL,                 -- all of them
    fault      TEXT   NOT NULL,                 -- JSON ArchiveFault, '' none
    why        TEXT   NOT NULL,                 -- why it does not go on for now
    by_account TEXT   NOT NULL,
    by_name    TEXT   NOT NULL,
    asked_at   BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE INDEX image_archive_asked ON image_archive (asked_at);
-- Two people who bring the same version: one of them is told.
CREATE UNIQUE INDEX image_archive_one ON image_archive (registry, repository, tag) WHERE state IN ('waiting', 'running');
