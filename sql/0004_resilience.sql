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
