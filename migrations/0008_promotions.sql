-- Promotions of images from stage to stage: what people ask for and decide. The bytes go
-- as a copy (image_copy), which tells how far it is.

CREATE TABLE promotion (
    id             TEXT   NOT NULL PRIMARY KEY,
    team           TEXT   NOT NULL,              -- whose the repository is, '' everybody's
    from_place     TEXT   NOT NULL,              -- registry
    repository     TEXT   NOT NULL,              -- the same on both sides
    tag            TEXT   NOT NULL,              -- the same on both sides
    digest         TEXT   NOT NULL,
    bytes          BIGINT NOT NULL,
    to_place       TEXT   NOT NULL,
    before         TEXT   NOT NULL,              -- what the target's tag named when it was asked for, '' nothing
    state          TEXT   NOT NULL,              -- asked, refused, withdrawn, approved, back
    checks         TEXT   NOT NULL,              -- JSON list of PromotionCheck, as they were then
    note           TEXT   NOT NULL,
    by_account     TEXT   NOT NULL,
    by_name        TEXT   NOT NULL,
    asked_at       BIGINT NOT NULL,
    judged_account TEXT   NOT NULL DEFAULT '',
    judged_name    TEXT   NOT NULL DEFAULT '',
    judged_note    TEXT   NOT NULL DEFAULT '',
    judged_at      BIGINT,
    copy           TEXT   NOT NULL DEFAULT '',   -- image_copy that brings it there
    back_name      TEXT   NOT NULL DEFAULT '',
    back_at        BIGINT,
    back_copy      TEXT   NOT NULL DEFAULT ''    -- image_copy that puts back what was there, '' it was taken away
);
CREATE INDEX promotion_asked ON promotion (asked_at);
-- Two people who ask for the same version of a target at once: the second is told.
CREATE UNIQUE INDEX promotion_open ON promotion (to_place, repository, tag) WHERE state = 'asked';
