-- Rules by which a repository is kept tidy without anybody asking each time.

CREATE TABLE retention_rule (
    registry   TEXT   NOT NULL,
    repository TEXT   NOT NULL,
    newest     BIGINT NOT NULL,                 -- so many stay in any case
    days       BIGINT NOT NULL,                 -- what is younger stays
    by_account TEXT   NOT NULL,
    by_name    TEXT   NOT NULL,
    set_at     BIGINT NOT NULL,
    looked_at  BIGINT,                          -- when it was last looked what goes by it
    due_at     BIGINT NOT NULL,                 -- when it is looked next
    PRIMARY KEY (registry, repository)
);
CREATE INDEX retention_rule_due ON retention_rule (due_at);
