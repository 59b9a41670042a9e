-- 0002 dashboard: what people need to sign in, to steer incidents and services, and what cron remembers.
-- Every statement here can run again after a crash in the middle.

-- A session of the dashboard. The cookie holds 256 random bits; here stands their SHA-256.
CREATE TABLE IF NOT EXISTS sessions (
	id_hash BINARY(32) NOT NULL COMMENT 'SHA-256 of the cookie text',
	public_id VARCHAR(23) NOT NULL COMMENT 'se_..., for the list of one''s own',
	user_id INT UNSIGNED NOT NULL,
	created_at BIGINT NOT NULL,
	last_seen_at BIGINT NOT NULL COMMENT 'at most a minute old; idle expiry counts from here',
	expires_at BIGINT NOT NULL COMMENT 'absolute end',
	remote_addr VARCHAR(45) NOT NULL,
	user_agent VARCHAR(255) NOT NULL DEFAULT '',
	flash_sealed VARBINARY(4096) NULL COMMENT 'what the next page says once; sealed, it may hold a new secret',
	PRIMARY KEY (id_hash),			-- every page
	UNIQUE KEY by_public_id (public_id),	-- revoke
	KEY by_user (user_id),			-- sessions of a user
	KEY by_end (expires_at)			-- expiry
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- TOTP: a seed counts once a code proved that the app has it; a code serves once.
ALTER TABLE users ADD COLUMN IF NOT EXISTS totp_pending_sealed VARBINARY(255) NULL COMMENT 'seed not yet confirmed';
ALTER TABLE users ADD COLUMN IF NOT EXISTS totp_step BIGINT NOT NULL DEFAULT 0 COMMENT 'newest 30 s step whose code was used';

-- What people set of a service beside its name.
ALTER TABLE services ADD COLUMN IF NOT EXISTS description VARCHAR(1024) NOT NULL DEFAULT '';
ALTER TABLE services ADD COLUMN IF NOT EXISTS auto_resolve_minutes INT UNSIGNED NULL COMMENT 'resolves incidents without an alert for so long; NULL = never';
ALTER TABLE services ADD COLUMN IF NOT EXISTS deleted_at BIGINT NULL COMMENT 'its incidents keep a name';
-- A deleted service gives its name free, so names are unique among living services alone.
ALTER TABLE services ADD COLUMN IF NOT EXISTS live_name VARCHAR(100) COLLATE utf8mb4_unicode_ci AS (IF(deleted_at IS NULL, name, NULL)) STORED;
ALTER TABLE services ADD UNIQUE INDEX IF NOT EXISTS by_live_name (tenant_id, live_name);	-- by name; all of a tenant
ALTER TABLE services DROP INDEX IF EXISTS by_name;
ALTER TABLE sources ADD INDEX IF NOT EXISTS by_service (service_id);	-- integrations of a service

ALTER TABLE incidents ADD COLUMN IF NOT EXISTS snoozed_until BIGINT NULL COMMENT 'quiet until then';
ALTER TABLE incidents ADD INDEX IF NOT EXISTS by_service_status (service_id, status, id);	-- of a service: list, number of unresolved ones
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS auto_resolved_at BIGINT NULL COMMENT 'cron resolves a test incident once, however often it is looked at';

-- Requests that were not plainly accepted, few among many: the lists of refused and of repeated ones walk this table.
CREATE TABLE IF NOT EXISTS request_marks (
	tenant_id INT UNSIGNED NOT NULL,
	kind TINYINT UNSIGNED NOT NULL COMMENT '1 refused, 2 repeated',
	id BIGINT UNSIGNED NOT NULL COMMENT 'requests.id',
	event_id BIGINT UNSIGNED NULL COMMENT 'of a repeated one: the first event it repeats',
	PRIMARY KEY (tenant_id, kind, id),	-- lists of a tenant, newest first
	KEY by_event (event_id, id)		-- repeats of an event
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- For the requests that were there before.
INSERT IGNORE INTO request_marks (tenant_id, kind, id, event_id)
	SELECT s.tenant_id, IF(r.reason IS NULL, 2, 1), r.id, IF(r.reason IS NULL, r.event_id, NULL)
	FROM requests r JOIN sources s ON s.id = r.source_id WHERE r.reason IS NOT NULL OR r.is_duplicate = 1;

ALTER TABLE source_stats ADD COLUMN IF NOT EXISTS repeated BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'requests all of whose events were known';

-- When the stages of the pipeline were done with a request.
ALTER TABLE requests ADD COLUMN IF NOT EXISTS stages VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'microseconds since receipt, "proven mapped deduplicated acted stored", blanks between, - for one not reached; empty = unknown';

-- What cron remembers of a job. The row 'cron' is no job: it says when a run of all jobs began last.
ALTER TABLE jobs ADD COLUMN IF NOT EXISTS unfinished TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'begun and not ended, or its time was up, or it failed: due again before its schedule';
ALTER TABLE jobs ADD COLUMN IF NOT EXISTS position BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'where the job goes on; each knows what it means';

-- The key before the last rotation, until the end of its grace period.
ALTER TABLE sources ADD COLUMN IF NOT EXISTS key_old_hash BINARY(32) NULL COMMENT 'SHA-256 of that key text';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS key_old_until BIGINT NULL COMMENT 'good until then';
ALTER TABLE sources ADD INDEX IF NOT EXISTS by_old_key (key_old_hash);	-- /v2/enqueue looks up the routing key

ALTER TABLE source_stats ADD COLUMN IF NOT EXISTS tests BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'of these received: test webhooks; no error and no latency of theirs is counted';

-- Every run of a job of cron, for the page of jobs.
CREATE TABLE IF NOT EXISTS job_runs (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	name VARCHAR(64) NOT NULL,
	started_at BIGINT NOT NULL,
	duration_ms INT UNSIGNED NOT NULL,
	ok TINYINT(1) NOT NULL,
	unfinished TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'its time was up: the next run goes on',
	touched BIGINT UNSIGNED NOT NULL COMMENT 'rows',
	counts VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'the same by kind: "events 12, requests 7"',
	error VARCHAR(255) NULL,
	PRIMARY KEY (id),
	KEY by_name (name, id)			-- history of a job; cleanup
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Lists of users page by id; from and to of the audit log, and its cleanup, find their place by time.
ALTER TABLE users ADD KEY IF NOT EXISTS by_tenant (tenant_id);
ALTER TABLE audit_log ADD KEY IF NOT EXISTS by_time (at);
