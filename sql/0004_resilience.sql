-- 0004 resilience: what finds trouble in our own work and mends it. Every statement here can run again after a crash in the middle.

-- ---- monitor ----

-- Trouble of this installation itself, with its beginning and its end: a check of the monitor that fails, events whose attempts are used up,
-- a spool file that cannot be replayed, cron that is late. At most one of a type and subject runs at a time.
CREATE TABLE IF NOT EXISTS monitor_alerts (
	id BIGINT UNSIGNED NOT NULL COMMENT 'made as those of events',
	tenant_id INT UNSIGNED NOT NULL COMMENT '0 = the whole installation',
	type VARCHAR(32) NOT NULL COMMENT 'HIGH_FAILURE_RATE, DEAD_EVENTS...',
	subject VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'what it is about, where a type may run several times: public id of a source, name of a job',
	severity TINYINT UNSIGNED NOT NULL COMMENT '1 WARNING, 2 ERROR, 3 CRITICAL',
	message VARCHAR(512) NOT NULL COMMENT 'a sentence',
	advice VARCHAR(512) NOT NULL COMMENT 'what to do about it, a sentence',
	value DECIMAL(20,4) NOT NULL COMMENT 'what was measured, and what it may be at most or at least',
	threshold DECIMAL(20,4) NOT NULL,
	started_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL COMMENT 'when it was raised last',
	ended_at BIGINT NULL,
	lasts_until BIGINT NULL COMMENT 'ends by itself then, unless it is raised again before; NULL = whoever raised it ends it',
	running TINYINT(1) AS (IF(ended_at IS NULL, 1, NULL)) STORED,
	PRIMARY KEY (id),
	UNIQUE KEY one_running (tenant_id, running, type, subject),	-- to raise and to end; those of a tenant that run
	KEY by_tenant (tenant_id, id),			-- list of a tenant, newest first
	KEY by_end (running, lasts_until)		-- those that end by themselves
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- ---- forward: events for the owner's handlers ----

-- What happened in each minute, summed as it happens by whoever does it, in the transaction of its cause: the monitor reads a few thousand
-- of these rows however many events there are. Rows of each worker's own, so that none waits for another. Test traffic is not in them. Once
-- some hours old they move to event_hours.
CREATE TABLE IF NOT EXISTS event_minutes (
	tenant_id INT UNSIGNED NOT NULL,
	at INT UNSIGNED NOT NULL COMMENT 'minutes since 1970 UTC: of the receipt; of repeats and of durations, when they happened',
	took SMALLINT UNSIGNED NOT NULL COMMENT '0: counts of a source and type; else class of a duration (src/base/hist.c) + 1, of all sources',
	source_id INT UNSIGNED NOT NULL,
	event_type VARCHAR(100) NOT NULL COMMENT 'empty: one of too many',
	slot SMALLINT UNSIGNED NOT NULL COMMENT 'worker number, 0..1023',
	events BIGINT NOT NULL DEFAULT 0 COMMENT 'received; with a duration: done after it',
	starts BIGINT NOT NULL DEFAULT 0 COMMENT 'of the actions of those events, until now',
	duplicates BIGINT NOT NULL DEFAULT 0 COMMENT 'repeats of events that their sender named',
	took_us BIGINT NOT NULL DEFAULT 0 COMMENT 'sum of the durations, receipt to done',
	PRIMARY KEY (tenant_id, at, took, source_id, event_type, slot)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The same by the hour: `at` is the first minute of it, workers are summed. After some days they move to theirs.
CREATE TABLE IF NOT EXISTS event_hours (
	tenant_id INT UNSIGNED NOT NULL,
	at INT UNSIGNED NOT NULL,
	took SMALLINT UNSIGNED NOT NULL,
	source_id INT UNSIGNED NOT NULL,
	event_type VARCHAR(100) NOT NULL,
	events BIGINT NOT NULL DEFAULT 0,
	starts BIGINT NOT NULL DEFAULT 0,
	duplicates BIGINT NOT NULL DEFAULT 0,
	took_us BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant_id, at, took, source_id, event_type)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The same by the day, UTC: a month of hours is too much to add up for a page.
CREATE TABLE IF NOT EXISTS event_days LIKE event_hours;

-- Attempts that failed, in the order of time: which events had one lately.
CREATE TABLE IF NOT EXISTS event_failures (
	tenant_id INT UNSIGNED NOT NULL,
	at BIGINT NOT NULL,
	event_id BIGINT UNSIGNED NOT NULL,
	source_id INT UNSIGNED NOT NULL,
	PRIMARY KEY (tenant_id, at, event_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What the monitor and alert rules count among those that wait or failed, they count in this index alone.
ALTER TABLE events DROP INDEX IF EXISTS by_status, ADD INDEX by_status (tenant_id, status, id, is_test, attempts, source_id);

-- What was found out for the monitor, for half a minute. The row of window 0 holds how often a tenant's were dropped.
CREATE TABLE IF NOT EXISTS monitor_cache (
	tenant_id INT UNSIGNED NOT NULL COMMENT '0 = all',
	window_min INT UNSIGNED NOT NULL,
	drops BIGINT UNSIGNED NOT NULL COMMENT 'as they were when this was found out; with another number it counts for nothing',
	made_at BIGINT NOT NULL,
	facts MEDIUMTEXT NULL COMMENT 'JSON',
	PRIMARY KEY (tenant_id, window_min),
	KEY by_age (made_at)				-- to forget old ones
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Where a source's action forward posts its events, and how.
ALTER TABLE sources ADD COLUMN IF NOT EXISTS handler_url VARCHAR(2048) NULL COMMENT 'http or https; not NULL where the action forward is set';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS handler_secret_sealed VARBINARY(1024) NULL COMMENT 'AES-256-GCM, context handler_secret:<public id>; NULL = the newest signature secret of the source';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS forward_mode TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 queued: the sender is answered at once; 1 inline: after the handler';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS max_retries TINYINT UNSIGNED NOT NULL DEFAULT 4 COMMENT 'attempts after the first';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS backoff_s INT UNSIGNED NOT NULL DEFAULT 60 COMMENT 'seconds before the second attempt; doubles each time';

-- Events whose forward is not done: written with the event, gone when it is processed or dead. Whoever sends takes a row by one UPDATE
-- that sets owner and next_at together, so a row that is held is a row that is not due yet, and one whose holder died becomes due by itself.
CREATE TABLE IF NOT EXISTS forwards (
	event_id BIGINT UNSIGNED NOT NULL COMMENT 'events.id',
	source_id INT UNSIGNED NOT NULL COMMENT 'whose handler',
	next_at BIGINT NOT NULL COMMENT 'due from then on; while it is held: end of the lease',
	owner BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'who holds it, a random number for each claim; 0 = nobody',
	tries TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'attempts that failed since the event came or was retried by hand',
	lost TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'attempts whose holder died, since then',
	PRIMARY KEY (event_id),			-- results; retries by hand
	KEY due (source_id, next_at, owner)	-- which handlers have work, and the claims of one handler: each reads its own rows alone
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
-- An event that a task replays says so, that its replay can be taken back and does not count as work of its first time.
ALTER TABLE forwards ADD COLUMN IF NOT EXISTS task_id BIGINT UNSIGNED NULL COMMENT 'tasks.id of the replay that put it here; NULL = none did';
ALTER TABLE forwards ADD COLUMN IF NOT EXISTS was TINYINT UNSIGNED NULL COMMENT 'events.status before that';
ALTER TABLE forwards ADD INDEX IF NOT EXISTS by_task (task_id, owner);	-- what a task has in the queue; to take it back

-- Each start of an event's forward. A row without duration_us is under way, or its sender was killed.
CREATE TABLE IF NOT EXISTS event_attempts (
	event_id BIGINT UNSIGNED NOT NULL,
	number TINYINT UNSIGNED NOT NULL COMMENT 'events.attempts of it; 255 = that one or later',
	started_at BIGINT NOT NULL,
	duration_us BIGINT UNSIGNED NULL COMMENT 'to the end of the answer; NULL = no result',
	status SMALLINT UNSIGNED NULL COMMENT 'HTTP status of the answer; NULL = none',
	error VARCHAR(255) NULL COMMENT 'why it failed, a sentence; NULL = it did not',
	answer VARBINARY(4096) NULL COMMENT 'the first 4 KiB of the body',
	PRIMARY KEY (event_id, number)		-- attempts of an event; gone with it
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Receivers that fail: no row = all is well. From the fifth failure in a row the breaker is open: nothing is sent until probe_at, then one
-- thing; its success removes the row, its failure doubles the wait, up to an hour.
CREATE TABLE IF NOT EXISTS breakers (
	kind TINYINT UNSIGNED NOT NULL COMMENT '1 handler of a source, 2 endpoint',
	target_id BIGINT UNSIGNED NOT NULL COMMENT 'sources.id and so on',
	failures INT UNSIGNED NOT NULL COMMENT 'in a row',
	opened_at BIGINT NULL COMMENT 'NULL = closed',
	wait_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'until the next probe, when the last one failed',
	probe_at BIGINT NOT NULL DEFAULT 0 COMMENT 'next probe; while one is under way: when it is given up',
	error VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'of the last failure',
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (kind, target_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- ---- channels and the outbox ----

-- Where people and other programs are told of things: a Slack hook, mail boxes, PagerDuty, a URL.
CREATE TABLE IF NOT EXISTS channels (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	tenant_id INT UNSIGNED NOT NULL,
	public_id VARCHAR(23) NOT NULL COMMENT 'ch_...',
	kind VARCHAR(20) NOT NULL COMMENT 'slug of src/channel: slack, email, pagerduty, webhook',
	name VARCHAR(100) NOT NULL,
	enabled TINYINT(1) NOT NULL DEFAULT 1,
	disabled_reason VARCHAR(255) NULL COMMENT 'the program switched it off, and why; NULL = it did not',
	events INT UNSIGNED NOT NULL COMMENT 'what it is told of, bits: 1 monitor alerts, 4 alert rules',
	min_level TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'nothing below: 0 info, 1 low, 2 medium, 3 high, 4 critical',
	settings TEXT NOT NULL COMMENT 'JSON: what its kind wants to know and is no secret',
	secret_sealed VARBINARY(2100) NULL COMMENT 'the secret of its kind: hook URL, password, routing key or signature secret',
	sent_at BIGINT NULL COMMENT 'newest message that was taken',
	failed_at BIGINT NULL COMMENT 'newest attempt that failed',
	failures INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'attempts that failed since sent_at',
	error VARCHAR(255) NULL COMMENT 'why the newest one of these failed',
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY by_public_id (public_id),
	KEY by_tenant (tenant_id, id)			-- list; whom to tell
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
-- A row waits (0) for the dispatcher, which makes a few quick attempts, and has then failed (2) and waits for cron. Whoever sends it moves next_at
-- to the end of his lease, so a row whose sender died is due again by itself; no second column says so.
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS attempts_max TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'given up after so many; 0 = as many as its kind has';
ALTER TABLE outbox DROP COLUMN IF EXISTS lease_until;
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS traceparent VARCHAR(55) NULL COMMENT 'W3C trace context of its cause; NULL = none';
ALTER TABLE outbox ADD INDEX IF NOT EXISTS by_wait (status, kind, target_id, next_at);	-- targets with work, and the work of one: a full target hides no other

-- Every attempt to send a row of the outbox.
CREATE TABLE IF NOT EXISTS outbox_attempts (
	outbox_id BIGINT UNSIGNED NOT NULL,
	attempt TINYINT UNSIGNED NOT NULL COMMENT 'from 1 on',
	at BIGINT NOT NULL,
	duration_ms INT UNSIGNED NOT NULL,
	status SMALLINT UNSIGNED NOT NULL COMMENT 'of HTTP or SMTP; 0 = no answer',
	error VARCHAR(255) NULL COMMENT 'NULL = it was taken',
	answer VARCHAR(4096) NOT NULL COMMENT 'the first 4 KiB, control characters and what is no UTF-8 replaced',
	PRIMARY KEY (outbox_id, attempt)		-- the attempts of one
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- ---- tasks: long work that somebody asked for ----

-- It is done in chunks, each of them one transaction with the new position: killed at any moment, it goes on exactly where it was. A row is
-- taken like one of `forwards`: owner and next_at together, so that a task whose runner died is due by itself.
CREATE TABLE IF NOT EXISTS tasks (
	id BIGINT UNSIGNED NOT NULL COMMENT 'made as those of events',
	tenant_id INT UNSIGNED NOT NULL COMMENT '0 = all: a platform admin asked',
	kind VARCHAR(20) NOT NULL COMMENT 'slug of src/task: replay',
	user_id INT UNSIGNED NULL COMMENT 'who asked; NULL = the command line',
	about VARCHAR(2048) NOT NULL COMMENT 'what it is done to, as the query of a list',
	params TEXT NOT NULL COMMENT 'the same for the program, JSON',
	state TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 waiting, 1 running, 2 cancelling, 3 done, 4 failed, 5 cancelled',
	position BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'the last id that was looked at',
	total BIGINT UNSIGNED NULL COMMENT 'how many it will look at; NULL = too many to count them first',
	seen BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'of these, so far',
	changed BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'and of these it did something to; the rest was passed over',
	undone BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'taken back when it was cancelled',
	error VARCHAR(255) NULL COMMENT 'why it failed, a sentence',
	owner BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'who holds it, a random number for each claim; 0 = nobody',
	next_at BIGINT NOT NULL COMMENT 'due from then on; while it is held: end of the lease',
	lost TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'runners that died with it',
	created_at BIGINT NOT NULL,
	started_at BIGINT NULL,
	updated_at BIGINT NOT NULL,
	finished_at BIGINT NULL,
	open TINYINT(1) AS (IF(finished_at IS NULL, 1, NULL)) STORED,
	PRIMARY KEY (id),			-- one; list of all
	KEY by_tenant (tenant_id, id),		-- list of a tenant, newest first
	KEY due (open, next_at)			-- those with something to do
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- ---- jobs ----

-- How long processed events are kept. Cleanup is told in days; what a source says counts more than what its tenant says.
ALTER TABLE tenants ADD COLUMN IF NOT EXISTS retention_days INT UNSIGNED NULL COMMENT 'NULL = [retention] events_days';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS retention_days INT UNSIGNED NULL COMMENT 'NULL = as its tenant';
-- Sources from which something is to be heard every so often: a dead man's switch.
ALTER TABLE sources ADD COLUMN IF NOT EXISTS heartbeat_minutes INT UNSIGNED NULL COMMENT 'an accepted request is expected at least as often; NULL = nobody watches';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS heartbeat_incident TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'silence opens an incident as well';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS heartbeat_since BIGINT NULL COMMENT 'no silence began before: when that was asked for, or the source switched on';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS silence_incident BIGINT UNSIGNED NULL COMMENT 'incidents.id of the newest silence; NULL = it opened none';
ALTER TABLE source_stats ADD COLUMN IF NOT EXISTS heard_at BIGINT NOT NULL DEFAULT 0 COMMENT 'newest request that was accepted and no test';

ALTER TABLE job_runs ADD COLUMN IF NOT EXISTS bytes BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'what the removed rows held, more or less';
ALTER TABLE jobs ADD COLUMN IF NOT EXISTS holder VARCHAR(80) NOT NULL DEFAULT '' COMMENT 'host and process that took the lease last, for people';
ALTER TABLE job_runs ADD COLUMN IF NOT EXISTS longest_lock_ms INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'the longest that rows were locked';

-- How large the tables were, noted each hour: what the forecast of a full disk stands on.
CREATE TABLE IF NOT EXISTS table_sizes (
	at BIGINT NOT NULL COMMENT 'the same for all tables of a look',
	name VARCHAR(64) NOT NULL,
	row_count BIGINT UNSIGNED NOT NULL COMMENT 'as InnoDB estimates it',
	bytes BIGINT UNSIGNED NOT NULL COMMENT 'pages of rows and indexes, without those that are free again',
	PRIMARY KEY (at, name)		-- the oldest look of a week; cleanup
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- ---- snoozes that end ----

ALTER TABLE incidents ADD INDEX IF NOT EXISTS by_snooze (snoozed_until);	-- what is to be woken; NULL is none

-- ---- alert rules ----

-- Thresholds that users set for themselves; a job judges them each minute and tells when that changes.
CREATE TABLE IF NOT EXISTS alert_rules (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	tenant_id INT UNSIGNED NOT NULL COMMENT 'whose events are counted',
	user_id INT UNSIGNED NOT NULL COMMENT 'whose rule it is',
	public_id VARCHAR(23) NOT NULL COMMENT 'ar_...',
	name VARCHAR(100) NOT NULL,
	metric TINYINT UNSIGNED NOT NULL COMMENT '1 event_count, 2 failure_count, 3 success_rate, 4 pending_count, 5 oldest_pending_minutes, 6 minutes_since_last_event, 7 open_incidents',
	provider VARCHAR(32) NULL COMMENT 'slug: only its integrations; NULL = all',
	source_id INT UNSIGNED NULL COMMENT 'only that integration; NULL = all',
	service_id INT UNSIGNED NULL COMMENT 'only that service; NULL = all',
	comparison TINYINT UNSIGNED NOT NULL COMMENT '1 >, 2 >=, 3 <, 4 <=, 5 ==',
	threshold DECIMAL(20,4) NOT NULL,
	window_minutes INT UNSIGNED NOT NULL COMMENT 'that is looked at, up to now',
	enabled TINYINT(1) NOT NULL DEFAULT 1,
	triggered TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'the condition held when it was judged last, and that was told',
	episode BIGINT UNSIGNED NULL COMMENT 'number of the newest time that it triggered, made as those of events; NULL = it never did',
	triggered_at BIGINT NULL COMMENT 'begin of that time',
	since BIGINT NULL COMMENT 'when `triggered` changed last; NULL = never',
	value DECIMAL(20,4) NULL COMMENT 'what was measured last; NULL = nothing yet of this condition',
	evaluated_at BIGINT NULL COMMENT 'when that was',
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL COMMENT 'last change by a person',
	PRIMARY KEY (id),
	UNIQUE KEY by_public_id (public_id),
	KEY by_user (user_id, tenant_id, id),		-- list
	KEY by_tenant (tenant_id, evaluated_at)		-- the job: those that were not judged for longest
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
