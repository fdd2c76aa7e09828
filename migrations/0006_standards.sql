-- What is decided about middleware versions. A version without a row is standard in every
-- stage: whoever put it into our own registry with a contract meant it to be used.

CREATE TABLE stack_mark (
    key       TEXT   NOT NULL PRIMARY KEY,      -- name:version, as in stack
    state     TEXT   NOT NULL,                  -- standard, deprecated, retired
    stages    TEXT   NOT NULL,                  -- JSON list; empty: all
    successor TEXT   NOT NULL,                  -- key, '' none
    note      TEXT   NOT NULL,                  -- for those who run on it
    by_name   TEXT   NOT NULL,
    at        BIGINT NOT NULL
);
