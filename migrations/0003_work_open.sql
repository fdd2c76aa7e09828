-- What is to be done is found without passing by everything that is done (of ten
-- thousand applications a handful is open at a time), and what somebody waits for is
-- found before what a sweep merely wants looked at. (Beside the former index SQLite
-- would not choose this one.)

ALTER TABLE work ADD COLUMN urgent BIGINT NOT NULL DEFAULT 0;
DROP INDEX work_due;
CREATE INDEX work_open ON work (urgent DESC, due_at) WHERE parked = 0 AND wanted > done;
