-- What is inside images: read once for each digest, which names the same for ever.

CREATE TABLE image_inside (
    digest      TEXT   NOT NULL PRIMARY KEY,
    registry    TEXT   NOT NULL,                -- where it is read from
    repository  TEXT   NOT NULL,
    state       TEXT   NOT NULL,                -- waiting, reading, read, failed
    why         TEXT   NOT NULL,                -- what went wrong last, for people
    os          TEXT   NOT NULL,                -- JSON Os
    notes       TEXT   NOT NULL,                -- JSON list of InsideNote
    files_total BIGINT NOT NULL,
    files       TEXT   NOT NULL,                -- all of them, packed (inside::pack)
    asked_at    BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL                 -- 0: not yet
);

CREATE TABLE image_package (
    digest         TEXT   NOT NULL,
    n              BIGINT NOT NULL,             -- order in the image: kind, name, version
    origin         TEXT   NOT NULL,             -- dpkg, apk, rpm, jar
    name           TEXT   NOT NULL,
    version        TEXT   NOT NULL,
    arch           TEXT   NOT NULL,
    source         TEXT   NOT NULL,
    source_version TEXT   NOT NULL,
    license        TEXT   NOT NULL,
    purl           TEXT   NOT NULL,
    path           TEXT   NOT NULL,             -- the file in the image that says so
    words          TEXT   NOT NULL,             -- what search looks into, lower case
    PRIMARY KEY (digest, n)
);
CREATE INDEX image_package_name ON image_package (name);
