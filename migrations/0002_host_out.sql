-- What operators want of a host that is not simply in service. The row goes once the
-- host is back; whether it is empty is Mesos' to say and is not kept here.
CREATE TABLE host_out (
    agent_id TEXT   NOT NULL PRIMARY KEY,
    host     TEXT   NOT NULL,                   -- its name when it was taken out
    out_wanted BIGINT NOT NULL,                 -- 1: out of service; 0: to be put back
    reason   TEXT   NOT NULL,
    since    BIGINT NOT NULL,
    changed_by TEXT NOT NULL
);
