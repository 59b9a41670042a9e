-- 0001 initial: everything the ingest path, the API and the command line stand on.
--
-- Rules for all tables. Times are BIGINT milliseconds since 1970 UTC; NULL = not yet. `id` of requests, events, alerts and
-- incidents is made by the worker (41 bits of ms, 10 of worker, 12 of counter), so it grows with time: the primary key is
-- also the order of every list and the range of every time window, inserts go to the right edge, and no second index on a
-- time is needed. Ids in URLs are random with a prefix (`public_id`). Words of the spec are numbers of the enums in
-- include/grapnel/event.h and incident.h. Designed for 10 million events: beside each index stands the query it serves;
-- an index that serves none is to be dropped, since each costs every insert.
-- Every statement here can run again after a crash in the middle.

-- A tenant is the unit of isolation; everything below belongs to one. `default` exists from the start.
CREATE TABLE IF NOT EXISTS tenants (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	name VARCHAR(100) NOT NULL COMMENT 'as people know it; unique',
	created_at BIGINT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY by_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT INTO tenants (id, name, created_at) VALUES (1, 'default', 0) ON DUPLICATE KEY UPDATE id = id;

-- A user is a person with a role in one tenant; a platform admin sees all tenants.
CREATE TABLE IF NOT EXISTS users (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	public_id VARCHAR(23) NOT NULL COMMENT 'us_...',
	tenant_id INT UNSIGNED NOT NULL,
	name VARCHAR(100) NOT NULL COMMENT 'for signing in; unique on this installation',
	email VARCHAR(255) NULL,
	password_hash VARBINARY(255) NULL COMMENT 'yescrypt; NULL = cannot sign in with a password',
	role TINYINT UNSIGNED NOT NULL COMMENT '1 viewer, 2 operator, 3 admin',
	platform_admin TINYINT(1) NOT NULL DEFAULT 0,
	totp_sealed VARBINARY(255) NULL COMMENT 'sealed TOTP seed',
	enabled TINYINT(1) NOT NULL DEFAULT 1,
	created_at BIGINT NOT NULL,
	last_seen_at BIGINT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY by_public_id (public_id),	-- one user by URL
	UNIQUE KEY by_name (name)		-- sign in
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- An API token is a bearer secret of a user, shown once and kept as its SHA-256.
CREATE TABLE IF NOT EXISTS tokens (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	public_id VARCHAR(23) NOT NULL COMMENT 'tk_...',
	user_id INT UNSIGNED NOT NULL,
	name VARCHAR(100) NOT NULL,
	token_hash BINARY(32) NOT NULL COMMENT 'SHA-256 of the token text',
	scopes INT UNSIGNED NOT NULL COMMENT 'bits: 1 read, 2 incidents, 4 events, 8 integrations, 16 sync, 32 admin',
	created_at BIGINT NOT NULL,
	expires_at BIGINT NULL COMMENT 'NULL = does not',
	last_used_at BIGINT NULL COMMENT 'at most a minute old',
	revoked_at BIGINT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY by_public_id (public_id),	-- revoke
	UNIQUE KEY by_hash (token_hash),	-- every API request
	KEY by_user (user_id)			-- tokens of a user
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A service is what can break. Each tenant has one default service, for integrations created without one.
CREATE TABLE IF NOT EXISTS services (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	public_id VARCHAR(23) NOT NULL COMMENT 'sv_...',
	tenant_id INT UNSIGNED NOT NULL,
	name VARCHAR(100) NOT NULL COLLATE utf8mb4_unicode_ci COMMENT 'unique in its tenant, letters without case',
	aliases TEXT NULL COMMENT 'JSON array of further names for routing by name',
	is_default TINYINT(1) NOT NULL DEFAULT 0,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY by_public_id (public_id),		-- one service by URL
	UNIQUE KEY by_name (tenant_id, name)		-- routing by name
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT INTO services (id, public_id, tenant_id, name, is_default, created_at, updated_at)
	VALUES (1, 'sv_00000000000000000000', 1, 'default', 1, 0, 0) ON DUPLICATE KEY UPDATE id = id;

-- A source is what comes in: an integration (kind 1) or a registration (kind 2). Ingest knows only sources. A deleted
-- source keeps its row, so that its events still have a name, but loses key and secrets and answers 404.
CREATE TABLE IF NOT EXISTS sources (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	public_id VARCHAR(23) NOT NULL COMMENT 'in_... or rg_...',
	tenant_id INT UNSIGNED NOT NULL,
	kind TINYINT UNSIGNED NOT NULL COMMENT '1 integration, 2 registration',
	provider VARCHAR(32) NOT NULL COMMENT 'slug',
	name VARCHAR(100) NOT NULL,
	service_id INT UNSIGNED NOT NULL,
	enabled TINYINT(1) NOT NULL DEFAULT 1,
	is_default TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'serves /api/webhooks/{provider} without id',
	default_for VARCHAR(32) AS (IF(is_default = 1 AND deleted_at IS NULL, provider, NULL)) STORED COMMENT 'slug, of a living default source alone',
	actions INT UNSIGNED NOT NULL COMMENT 'bits: 1 incident, 2 sync, 4 forward, 8 record',
	rate_per_minute INT UNSIGNED NULL COMMENT 'NULL = the default of the provider, 0 = no limit',
	allowed_ips TEXT NULL COMMENT 'addresses and networks, separated by commas; NULL = all',
	require_key TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'key and signature both',
	route_by_service TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'the service an event names decides, where one of that name exists',
	key_hash BINARY(32) NULL COMMENT 'SHA-256 of the integration key text',
	key_sealed VARBINARY(255) NULL COMMENT 'the key, sealed, to show it to an admin',
	settings TEXT NULL COMMENT 'JSON object of settings only this provider knows',
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY by_public_id (public_id),		-- ingest looks up the id in the URL
	UNIQUE KEY by_key (key_hash),			-- /v2/enqueue looks up the routing key
	UNIQUE KEY one_default (tenant_id, default_for),	-- at most one default source of a provider; its look-up
	KEY by_tenant (tenant_id, provider)		-- list of integrations
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Signature secrets of a source: several are active while one is rotated, any may match.
CREATE TABLE IF NOT EXISTS source_secrets (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	source_id INT UNSIGNED NOT NULL,
	label VARCHAR(100) NOT NULL DEFAULT '',
	sealed VARBINARY(1024) NOT NULL COMMENT 'AES-256-GCM, context source_secret:<public id of the source>',
	created_at BIGINT NOT NULL,
	expires_at BIGINT NULL COMMENT 'end of its grace period; NULL = active',
	PRIMARY KEY (id),
	KEY by_source (source_id)			-- loaded with the source
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Running counters of a source, one row for each worker slot and hour, so that two workers never wait for each other's
-- row; hour 0 holds the totals for all time. Readers sum over the slots.
CREATE TABLE IF NOT EXISTS source_stats (
	source_id INT UNSIGNED NOT NULL,
	hour INT UNSIGNED NOT NULL COMMENT 'hours since 1970 UTC; 0 = all time',
	slot SMALLINT UNSIGNED NOT NULL COMMENT 'worker number, 0..1023',
	received BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'requests',
	errors BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'of these answered 4xx or 5xx; test traffic left out',
	events BIGINT UNSIGNED NOT NULL DEFAULT 0,
	repeats BIGINT UNSIGNED NOT NULL DEFAULT 0,
	alerts BIGINT UNSIGNED NOT NULL DEFAULT 0,
	latency_us BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'sum over requests, receipt to commit',
	last_at BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (source_id, hour, slot)		-- totals and last 24 h of a source
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What makes "once" true: one row for each (source, event id). A derived id moves on to the new event when it comes again
-- more than 10 minutes after first_at. Rows go with their event.
CREATE TABLE IF NOT EXISTS event_ids (
	source_id INT UNSIGNED NOT NULL,
	id_hash BINARY(16) NOT NULL COMMENT 'first half of the SHA-256 of the event id: a short row, and no collision to be expected below 2^60 events',
	event_id BIGINT UNSIGNED NOT NULL COMMENT 'events.id of the first receipt',
	first_at BIGINT NOT NULL,
	repeats INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'redeliveries since first_at',
	PRIMARY KEY (source_id, id_hash)		-- the upsert of ingest
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The record of one inbound request, accepted or refused. Headers and raw body stand here once; events point to it.
-- Requests for unknown sources are only counted, never stored.
CREATE TABLE IF NOT EXISTS requests (
	id BIGINT UNSIGNED NOT NULL,
	source_id INT UNSIGNED NOT NULL,
	status SMALLINT UNSIGNED NOT NULL COMMENT 'HTTP status answered',
	reason VARCHAR(255) NULL COMMENT 'why it was refused; NULL = accepted',
	method VARCHAR(10) NOT NULL,
	uri VARCHAR(2048) NOT NULL COMMENT 'as sent, key removed',
	remote_addr VARCHAR(45) NOT NULL,
	trace VARCHAR(64) NOT NULL COMMENT 'X-Request-Id',
	traceparent VARCHAR(55) NULL,
	headers TEXT NOT NULL COMMENT '"name: value" lines, secrets masked',
	body LONGBLOB NOT NULL COMMENT 'raw; of a refused request the first 64 KiB',
	body_bytes INT UNSIGNED NOT NULL COMMENT 'received',
	duration_us INT UNSIGNED NOT NULL COMMENT 'receipt to storing',
	event_count SMALLINT UNSIGNED NOT NULL DEFAULT 0,
	event_id BIGINT UNSIGNED NULL COMMENT 'first event of it, or the one it repeats',
	is_duplicate TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'all its events were known',
	is_test TINYINT(1) NOT NULL DEFAULT 0,
	PRIMARY KEY (id),				-- one request; cleanup by age
	KEY by_source (source_id, id)			-- deliveries of an integration, newest first
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One thing a provider told us, stored once. Payload: request_id and element; what the list shows stands here.
CREATE TABLE IF NOT EXISTS events (
	id BIGINT UNSIGNED NOT NULL,
	tenant_id INT UNSIGNED NOT NULL,
	source_id INT UNSIGNED NOT NULL,
	request_id BIGINT UNSIGNED NOT NULL,
	element SMALLINT UNSIGNED NOT NULL COMMENT 'place in the request, from 0',
	event_id VARCHAR(255) NOT NULL COMMENT 'what the provider calls it, or the derived one',
	event_type VARCHAR(100) NOT NULL,
	entity_type VARCHAR(255) NOT NULL DEFAULT '',
	entity_id VARCHAR(255) NOT NULL DEFAULT '',
	action TINYINT UNSIGNED NOT NULL COMMENT '0 ignore, 1 trigger, 2 acknowledge, 3 resolve',
	severity TINYINT UNSIGNED NOT NULL COMMENT '0 info, 1 warning, 2 error, 3 critical',
	level TINYINT UNSIGNED NOT NULL COMMENT '0 INFO, 1 LOW, 2 MEDIUM, 3 HIGH, 4 CRITICAL',
	native_severity VARCHAR(255) NOT NULL DEFAULT '',
	dedup_key VARCHAR(255) NOT NULL DEFAULT '',
	summary VARCHAR(1024) NOT NULL,
	service VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'as the provider names it',
	origin VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'the source of the unified event: what it is about',
	status TINYINT UNSIGNED NOT NULL COMMENT '0 pending, 1 processing, 2 processed, 3 failed, 4 dead, 5 ignored',
	done INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'bits of the actions of the source that are done',
	attempts TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'starts; a first success is 1',
	error VARCHAR(255) NULL COMMENT 'of the last attempt',
	is_test TINYINT(1) NOT NULL DEFAULT 0,
	incident_id BIGINT UNSIGNED NULL,
	occurred_at BIGINT NULL COMMENT 'by the clock of the sender; NULL = not said',
	received_at BIGINT NOT NULL,
	processed_at BIGINT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (id),				-- one event; unfiltered list; time windows; cleanup
	KEY by_source (source_id, id),			-- list filtered by source or provider
	KEY by_status (tenant_id, status, id)		-- list filtered by status; retries; monitor
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The part of an event that reports trouble, joined to its incident; what it says stands in the event.
CREATE TABLE IF NOT EXISTS alerts (
	id BIGINT UNSIGNED NOT NULL,
	tenant_id INT UNSIGNED NOT NULL,
	event_id BIGINT UNSIGNED NOT NULL,
	incident_id BIGINT UNSIGNED NOT NULL,
	level TINYINT UNSIGNED NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (id),				-- list of alerts
	KEY by_incident (incident_id, id)		-- alerts of an incident
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Open or past trouble of a service.
CREATE TABLE IF NOT EXISTS incidents (
	id BIGINT UNSIGNED NOT NULL,
	tenant_id INT UNSIGNED NOT NULL,
	service_id INT UNSIGNED NOT NULL,
	source_id INT UNSIGNED NOT NULL COMMENT 'whose event opened it',
	dedup_key VARCHAR(255) NOT NULL,
	open_hash BINARY(16) NULL COMMENT 'hash of dedup_key while unresolved, else NULL',
	title VARCHAR(1024) NOT NULL,
	status TINYINT UNSIGNED NOT NULL COMMENT '1 OPEN, 2 ACKNOWLEDGED, 3 RESOLVED',
	level TINYINT UNSIGNED NOT NULL COMMENT 'raised, never lowered',
	alert_count INT UNSIGNED NOT NULL DEFAULT 0,
	is_test TINYINT(1) NOT NULL DEFAULT 0,
	opened_at BIGINT NOT NULL,
	acknowledged_at BIGINT NULL,
	resolved_at BIGINT NULL,
	resolved_by TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 nobody, 1 sender, 2 system, 3 person',
	assignee_id INT UNSIGNED NULL COMMENT 'users.id',
	last_alert_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY one_open (service_id, open_hash),	-- at most one unresolved incident for a key
	KEY by_status (tenant_id, status, id)		-- list of incidents
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What incident_decide needs to know of a key; one upsert locks and reads it. Changed together with its incident, always.
CREATE TABLE IF NOT EXISTS incident_keys (
	service_id INT UNSIGNED NOT NULL,
	key_hash BINARY(16) NOT NULL COMMENT 'first half of the SHA-256 of the dedup key',
	incident_id BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'newest incident; 0 = none yet',
	status TINYINT UNSIGNED NOT NULL DEFAULT 0,
	level TINYINT UNSIGNED NOT NULL DEFAULT 0,
	resolved_by TINYINT UNSIGNED NOT NULL DEFAULT 0,
	triggered_at BIGINT NOT NULL DEFAULT 0 COMMENT 'newest trigger applied, by the clock of the sender; 0 = none',
	sender_resolved_at BIGINT NOT NULL DEFAULT 0 COMMENT 'the barrier; 0 = none',
	PRIMARY KEY (service_id, key_hash)		-- lock and read in ingest
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Everything that happened to an incident, in order.
CREATE TABLE IF NOT EXISTS timeline (
	incident_id BIGINT UNSIGNED NOT NULL,
	id BIGINT UNSIGNED NOT NULL,
	at BIGINT NOT NULL,
	kind TINYINT UNSIGNED NOT NULL COMMENT '1 opened, 2 raised, 3 acknowledged, 4 resolved, 5 reopened, 6 note, 7 assigned, 8 snoozed',
	actor TINYINT UNSIGNED NOT NULL COMMENT '1 sender, 2 system, 3 person',
	user_id INT UNSIGNED NULL,
	event_id BIGINT UNSIGNED NULL COMMENT 'the event that caused it',
	level TINYINT UNSIGNED NULL COMMENT 'severity after it',
	text VARCHAR(1024) NULL,
	PRIMARY KEY (incident_id, id)			-- timeline of an incident
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Things to send, written in the transaction of their cause; leases are taken by compare-and-set.
CREATE TABLE IF NOT EXISTS outbox (
	id BIGINT UNSIGNED NOT NULL,
	tenant_id INT UNSIGNED NOT NULL,
	kind TINYINT UNSIGNED NOT NULL COMMENT '1 notification, 2 delivery, 3 forward, 4 subscription confirmation',
	target_id BIGINT UNSIGNED NOT NULL COMMENT 'channel, endpoint or source',
	cause_id BIGINT UNSIGNED NOT NULL COMMENT 'event or incident',
	payload MEDIUMTEXT NULL,
	status TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 waiting, 1 sent, 2 failed, 3 dead',
	attempts TINYINT UNSIGNED NOT NULL DEFAULT 0,
	next_at BIGINT NOT NULL,
	lease_owner BIGINT UNSIGNED NOT NULL DEFAULT 0,
	lease_until BIGINT NOT NULL DEFAULT 0,
	error VARCHAR(255) NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (id),
	KEY due (status, next_at),			-- the claims of dispatcher and cron
	KEY by_cause (cause_id)				-- what an event or incident sent
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The jobs of cron: lease and last result.
CREATE TABLE IF NOT EXISTS jobs (
	name VARCHAR(64) NOT NULL,
	last_started_at BIGINT NULL,
	last_finished_at BIGINT NULL,
	last_ok TINYINT(1) NULL,
	last_rows BIGINT UNSIGNED NULL,
	last_error VARCHAR(255) NULL,
	lease_owner BIGINT UNSIGNED NOT NULL DEFAULT 0,
	lease_until BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who changed what, from where. Kept a year.
CREATE TABLE IF NOT EXISTS audit_log (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	tenant_id INT UNSIGNED NOT NULL,
	at BIGINT NOT NULL,
	actor TINYINT UNSIGNED NOT NULL COMMENT '2 system, 3 person, 4 administrator on the command line',
	user_id INT UNSIGNED NULL,
	token_id INT UNSIGNED NULL,
	remote_addr VARCHAR(45) NULL,
	action VARCHAR(64) NOT NULL COMMENT 'integration.create',
	object VARCHAR(64) NOT NULL COMMENT 'public id of what was changed',
	detail TEXT NULL COMMENT 'JSON: before and after, no secrets',
	PRIMARY KEY (id),
	KEY by_tenant (tenant_id, id),			-- the audit page
	KEY by_object (object, id)			-- history of one thing
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Settings that people change while it runs.
CREATE TABLE IF NOT EXISTS settings (
	tenant_id INT UNSIGNED NOT NULL COMMENT '0 = the whole installation',
	name VARCHAR(64) NOT NULL,
	value TEXT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (tenant_id, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
