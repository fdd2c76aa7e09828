-- What the registries hold, as the last look at each found it; copies between them.

CREATE TABLE registry_look (
    registry     TEXT   NOT NULL PRIMARY KEY,   -- its name in the configuration
    at           BIGINT NOT NULL,               -- the last look that read all of it; 0: none yet
    took_ms      BIGINT NOT NULL,
    fault        TEXT   NOT NULL,               -- why the last look failed, '' when it did not
    fault_at     BIGINT NOT NULL
);

CREATE TABLE repository (
    registry  TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    team      TEXT   NOT NULL,                  -- whose it is (teams/<slug>/…), '' everybody's
    words     TEXT   NOT NULL,                  -- what search looks into, lower case
    title     TEXT   NOT NULL,                  -- of the newest version, as its labels say
    versions  BIGINT NOT NULL,
    newest    TEXT   NOT NULL,                  -- tag of the newest version
    newest_at BIGINT NOT NULL,                  -- when that was made, 0: not known
    bytes     BIGINT NOT NULL,                  -- of that
    PRIMARY KEY (registry, name)
);

CREATE TABLE image_tag (
    registry   TEXT   NOT NULL,
    repository TEXT   NOT NULL,
    tag        TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    since      BIGINT NOT NULL,                 -- when we first saw it name this digest
    PRIMARY KEY (registry, repository, tag)
);
CREATE INDEX image_tag_digest ON image_tag (digest);

CREATE TABLE image (                            -- a digest names the same in every registry
    digest   TEXT   NOT NULL PRIMARY KEY,
    bytes    BIGINT NOT NULL,
    made_at  BIGINT NOT NULL,                   -- 0: not known
    facts    TEXT   NOT NULL,                   -- JSON Image
    fault    TEXT   NOT NULL,                   -- why it could not be read, '' when it could
    seen_at  BIGINT NOT NULL
);

CREATE TABLE image_copy (
    id          TEXT   NOT NULL PRIMARY KEY,
    from_place  TEXT   NOT NULL,                -- registry
    from_repo   TEXT   NOT NULL,
    from_tag    TEXT   NOT NULL,                -- as it was asked for
    digest      TEXT   NOT NULL,
    to_place    TEXT   NOT NULL,
    to_repo     TEXT   NOT NULL,
    to_tag      TEXT   NOT NULL,
    instead_of  TEXT   NOT NULL,                -- what the tag named when it was asked for, '' nothing
    state       TEXT   NOT NULL,                -- waiting, running, done, failed, cancelled
    blobs       TEXT   NOT NULL,                -- JSON list of CopyBlobRow
    why         TEXT   NOT NULL,                -- what went wrong last, for people
    by_account  TEXT   NOT NULL,
    by_name     TEXT   NOT NULL,
    asked_at    BIGINT NOT NULL,
    began_at    BIGINT,
    ended_at    BIGINT
);
CREATE INDEX image_copy_asked ON image_copy (asked_at);

-- Which image a release runs is asked often; filled from its spec at the next start.
ALTER TABLE release ADD COLUMN digest TEXT NOT NULL DEFAULT '';
CREATE INDEX release_digest ON release (digest);
