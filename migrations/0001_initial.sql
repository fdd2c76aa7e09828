-- Padis, first schema. Portable between SQLite and PostgreSQL: BIGINT for every
-- number (times in ms since 1970 UTC, booleans 0/1), TEXT for words and JSON,
-- partial unique indexes as judges, no triggers, no engine-specific types.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- 0 … 65535: the offsets of the largest subnet, so that "the next free address"
-- is one statement.
CREATE TABLE number (
    n BIGINT NOT NULL PRIMARY KEY
);
INSERT INTO number (n)
    WITH RECURSIVE t (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM t WHERE n < 65535)
    SELECT n FROM t;

-- People ---------------------------------------------------------------------

CREATE TABLE team (
    slug       TEXT   NOT NULL PRIMARY KEY,
    title      TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE team_group (              -- directory groups that give membership
    team TEXT NOT NULL REFERENCES team (slug),
    dn   TEXT NOT NULL,                -- lower case
    role TEXT NOT NULL,                -- member, lead
    PRIMARY KEY (team, dn)
);

CREATE TABLE account (
    name          TEXT   NOT NULL PRIMARY KEY,  -- lower case
    display       TEXT   NOT NULL,
    mail          TEXT   NOT NULL,
    built_in      BIGINT NOT NULL,
    enabled       BIGINT NOT NULL,
    password_hash TEXT,                         -- argon2id, PHC string; built-in accounts only
    platform      TEXT,                         -- operator, auditor
    created_at    BIGINT NOT NULL,
    last_seen     BIGINT
);

CREATE TABLE membership (
    account        TEXT   NOT NULL REFERENCES account (name),
    team           TEXT   NOT NULL REFERENCES team (slug),
    role           TEXT   NOT NULL,
    from_directory BIGINT NOT NULL,
    PRIMARY KEY (account, team)
);

CREATE TABLE session (
    id         TEXT   NOT NULL PRIMARY KEY,     -- public
    token_hash TEXT   NOT NULL UNIQUE,          -- sha-256 of the cookie's token, hex
    account    TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    agent      TEXT   NOT NULL,
    began_at   BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX session_account ON session (account);

CREATE TABLE signin_failure (
    key           TEXT   NOT NULL PRIMARY KEY,  -- account:NAME or address:IP
    failures      BIGINT NOT NULL,
    first_at      BIGINT NOT NULL,
    last_at       BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL
);

CREATE TABLE once (                             -- the same form sent twice has one effect
    token   TEXT   NOT NULL PRIMARY KEY,
    account TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    answer  TEXT                                -- JSON of the first answer, NULL while unused
);

-- Pools ----------------------------------------------------------------------

CREATE TABLE pool (
    name         TEXT   NOT NULL PRIMARY KEY,
    stage        TEXT   NOT NULL,
    zone         TEXT   NOT NULL,
    hosts        TEXT   NOT NULL,               -- JSON object of attributes
    subnet       TEXT   NOT NULL,
    base         BIGINT NOT NULL,
    prefix       BIGINT NOT NULL,
    gateway      TEXT   NOT NULL,
    vlan         BIGINT,
    domain       TEXT   NOT NULL,
    ttl_s        BIGINT NOT NULL,
    quarantine_s BIGINT NOT NULL,
    revision     BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL,
    changed_by   TEXT   NOT NULL
);

CREATE TABLE quota (
    pool      TEXT   NOT NULL REFERENCES pool (name),
    team      TEXT   NOT NULL REFERENCES team (slug),
    cpu_milli BIGINT NOT NULL,
    mem_mib   BIGINT NOT NULL,
    instances BIGINT NOT NULL,
    addresses BIGINT NOT NULL,
    PRIMARY KEY (pool, team)
);

-- Images and packages --------------------------------------------------------

CREATE TABLE stack (                            -- what the last look at the registry found
    key        TEXT   NOT NULL PRIMARY KEY,     -- name:version
    repository TEXT   NOT NULL,
    tag        TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    image      TEXT   NOT NULL,
    bytes      BIGINT NOT NULL,
    created    TEXT   NOT NULL,
    contract   TEXT   NOT NULL,                 -- JSON
    seen_at    BIGINT NOT NULL,
    gone_at    BIGINT
);

CREATE TABLE package (
    sha256     TEXT   NOT NULL,
    team       TEXT   NOT NULL REFERENCES team (slug),
    file_name  TEXT   NOT NULL,
    bytes      BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    facts      TEXT   NOT NULL,                 -- JSON
    by_account TEXT   NOT NULL,
    by_name    TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (sha256, team)
);
CREATE INDEX package_team ON package (team, at);

CREATE TABLE upload (
    id         TEXT   NOT NULL PRIMARY KEY,
    team       TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    by_name    TEXT   NOT NULL,
    file_name  TEXT   NOT NULL,
    length     BIGINT NOT NULL,
    offset_at  BIGINT NOT NULL,
    began_at   BIGINT NOT NULL,
    touched_at BIGINT NOT NULL
);

-- Applications ---------------------------------------------------------------

CREATE TABLE app (                              -- intent; the row goes when everything is released
    id         TEXT   NOT NULL PRIMARY KEY,
    team       TEXT   NOT NULL REFERENCES team (slug),
    name       TEXT   NOT NULL,
    title      TEXT   NOT NULL,
    pool       TEXT   NOT NULL REFERENCES pool (name),
    host_name  TEXT   NOT NULL UNIQUE,
    wanted     TEXT   NOT NULL,                 -- online, stopped, deleted
    instances  BIGINT NOT NULL,
    release    BIGINT NOT NULL,                 -- the active one
    cpu_milli  BIGINT NOT NULL,                 -- of one instance of the active release, for quota sums
    mem_mib    BIGINT NOT NULL,
    state      TEXT   NOT NULL,                 -- as last observed: the domain's AppState
    well       BIGINT NOT NULL,                 -- as last observed
    revision   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT   NOT NULL,                 -- display name
    UNIQUE (team, name)
);
CREATE INDEX app_pool ON app (pool, team);

CREATE TABLE release (
    app_id       TEXT   NOT NULL,
    number       BIGINT NOT NULL,
    spec         TEXT   NOT NULL,               -- JSON ReleaseSpec, secrets included
    contract     TEXT   NOT NULL,               -- JSON Contract as it was
    stack_key    TEXT   NOT NULL,
    package      TEXT   NOT NULL,               -- its sha-256, as in spec: who uses a package is asked often
    package_kind TEXT   NOT NULL,
    package_name TEXT   NOT NULL,
    cause        TEXT   NOT NULL,               -- create, release, configure, roll-back, restart, start
    changes      TEXT   NOT NULL,               -- JSON list of FieldChange
    state        TEXT   NOT NULL,               -- live, retired
    at           BIGINT NOT NULL,
    by_name      TEXT   NOT NULL,
    PRIMARY KEY (app_id, number)
);
CREATE INDEX release_package ON release (package);

CREATE TABLE delivery (
    app_id      TEXT   NOT NULL,
    release     BIGINT NOT NULL,
    team        TEXT   NOT NULL,
    app         TEXT   NOT NULL,
    title       TEXT   NOT NULL,
    by_name     TEXT   NOT NULL,
    state       TEXT   NOT NULL,                -- running, waiting, online, failed, given-up
    step        TEXT   NOT NULL,                -- the step it is at
    steps       TEXT   NOT NULL,                -- JSON list of StepView
    began_at    BIGINT NOT NULL,
    answered_at BIGINT,
    ended_at    BIGINT,
    PRIMARY KEY (app_id, release)
);
CREATE INDEX delivery_began ON delivery (began_at);

CREATE TABLE instance (                         -- every task that was ever seen, for logs and causes
    task_id    TEXT   NOT NULL PRIMARY KEY,
    app_id     TEXT   NOT NULL,
    team       TEXT   NOT NULL,
    app        TEXT   NOT NULL,
    release    BIGINT NOT NULL,
    slot       BIGINT,
    host       TEXT   NOT NULL,
    agent_id   TEXT   NOT NULL,
    address    TEXT,
    seen_at    BIGINT NOT NULL,
    started_at BIGINT,
    well_at    BIGINT,
    leaving    TEXT,                            -- why we asked it to go: scale, release, stop, delete, sick
    leaving_at BIGINT,
    ended_at   BIGINT
);
CREATE INDEX instance_app ON instance (app_id, ended_at);

CREATE TABLE claim (                            -- what we hold in an outside system
    id          TEXT   NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,                -- address, name, service, member
    app_id      TEXT,
    team        TEXT,
    app         TEXT,
    release     BIGINT,
    slot        BIGINT,
    task_id     TEXT,
    pool        TEXT,
    address     BIGINT,
    what        TEXT   NOT NULL,                -- as shown: dotted address, name, member key
    state       TEXT   NOT NULL,                -- held, quarantined, reserved, released
    reason      TEXT   NOT NULL,
    since       BIGINT NOT NULL,
    until       BIGINT,
    released_at BIGINT
);
-- The judges. A quarantined or reserved address is not released, so it can't be given.
CREATE UNIQUE INDEX claim_address ON claim (pool, address) WHERE address IS NOT NULL AND released_at IS NULL;
CREATE UNIQUE INDEX claim_slot ON claim (app_id, release, slot) WHERE kind = 'address' AND state = 'held';
CREATE UNIQUE INDEX claim_task ON claim (task_id) WHERE kind = 'address' AND state = 'held';
CREATE UNIQUE INDEX claim_what ON claim (kind, what) WHERE kind IN ('name', 'service', 'member') AND released_at IS NULL;
CREATE INDEX claim_app ON claim (app_id, kind, released_at);
CREATE INDEX claim_until ON claim (until) WHERE until IS NOT NULL AND released_at IS NULL;

-- The loop -------------------------------------------------------------------

CREATE TABLE work (
    key         TEXT   NOT NULL PRIMARY KEY,
    wanted      BIGINT NOT NULL,
    done        BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    lease       TEXT,
    lease_until BIGINT NOT NULL,
    parked      BIGINT NOT NULL,
    outcome     TEXT   NOT NULL,
    changed_at  BIGINT NOT NULL
);
CREATE INDEX work_due ON work (parked, due_at);

CREATE TABLE journal (
    seq     BIGINT NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    who     TEXT   NOT NULL,
    what    TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    team    TEXT,
    app_id  TEXT,
    event   TEXT,                               -- JSON Event for the application's timeline
    changes TEXT   NOT NULL,                    -- JSON list of FieldChange
    prev    TEXT   NOT NULL,
    hash    TEXT   NOT NULL
);
CREATE INDEX journal_app ON journal (app_id, seq);
CREATE INDEX journal_subject ON journal (subject, seq);

-- Figures --------------------------------------------------------------------

CREATE TABLE sample (                           -- one application, one moment
    app_id    TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    cpu_milli BIGINT NOT NULL,
    mem_mib   BIGINT NOT NULL,
    requests  BIGINT NOT NULL,                  -- per minute since the sample before
    failed    BIGINT NOT NULL,
    PRIMARY KEY (app_id, at)
);

CREATE TABLE traffic (                          -- half-hour sums
    app_id   TEXT   NOT NULL,
    team     TEXT   NOT NULL,
    bucket   BIGINT NOT NULL,                   -- start of the half hour, ms
    requests BIGINT NOT NULL,
    failed   BIGINT NOT NULL,
    PRIMARY KEY (app_id, bucket)
);
