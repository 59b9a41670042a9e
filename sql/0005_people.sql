-- 0005 people: who is told of what befalls an incident. Every statement here can run again after a crash in the middle.

-- ---- news of incidents ----

-- Entries of timelines of which nobody has been told yet: written in their transaction, gone in the one that writes the outbox's rows for those who
-- want to know. Who does that locks the first of them, so that all are told in their order.
CREATE TABLE IF NOT EXISTS incident_news (
	id BIGINT UNSIGNED NOT NULL COMMENT 'timeline.id',
	incident_id BIGINT UNSIGNED NOT NULL,
	traceparent VARCHAR(55) NULL COMMENT 'W3C trace context of its cause; NULL = none',
	PRIMARY KEY (id)				-- oldest first
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

ALTER TABLE incidents ADD COLUMN IF NOT EXISTS is_quiet TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'a test of which nobody is told' AFTER is_test;

-- ---- channels and policies of services ----

-- Told of each incident of the service, whatever else its channel wants to know.
CREATE TABLE IF NOT EXISTS service_channels (
	service_id INT UNSIGNED NOT NULL,
	channel_id INT UNSIGNED NOT NULL,
	PRIMARY KEY (service_id, channel_id),		-- of a service
	KEY by_channel (channel_id)			-- gone with it
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
ALTER TABLE services ADD COLUMN IF NOT EXISTS policy_id INT UNSIGNED NULL COMMENT 'escalation_policies.id; NULL = nobody is paged';
ALTER TABLE services ADD INDEX IF NOT EXISTS by_policy (policy_id);	-- which services use a policy

-- ---- channels: addressees, and storms ----

-- Where each of a channel's addressees gets a message of his own, each has rows of his own too: one whose telephone is off holds up no other.
ALTER TABLE channels ADD COLUMN IF NOT EXISTS each_recipient TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'each one in `to` of settings gets a message of his own';
UPDATE channels SET each_recipient = 1 WHERE kind = 'email';
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS recipient VARCHAR(320) NULL COMMENT 'which of the addressees of its target this is for; NULL = all there are';

-- So many messages go to a channel in a minute of the clock; what comes more is told in one message at its end. Those rows have status 4.
ALTER TABLE channels ADD COLUMN IF NOT EXISTS max_per_minute SMALLINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 = no limit: programs read it';
UPDATE channels SET max_per_minute = 10 WHERE kind IN ('slack', 'email', 'sms', 'push') AND max_per_minute = 0;
ALTER TABLE channels ADD COLUMN IF NOT EXISTS storm_minute BIGINT NOT NULL DEFAULT 0 COMMENT 'minutes since 1970: what storm_n counts';
ALTER TABLE channels ADD COLUMN IF NOT EXISTS storm_n INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'messages of that minute';
ALTER TABLE channels ADD COLUMN IF NOT EXISTS storm_digest BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'outbox.id of the message at its end; 0 = none yet';
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS bundled_in BIGINT UNSIGNED NULL COMMENT 'outbox.id of the message that tells it; NULL = it is told by itself';
ALTER TABLE outbox ADD INDEX IF NOT EXISTS by_bundle (bundled_in);	-- what such a message tells

-- A page that is not needed any more when its turn comes, since somebody took care, has status 6.
-- Contacts come and go; who was paged, and where about, stays with the message: recipient is the address with its middle left out.
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS user_id INT UNSIGNED NULL COMMENT 'of a page: the person; NULL = it is none, or brings a code';

-- ---- outbound webhooks ----

-- Where programs of a user are told of things. A deleted one stays as long as what was sent to it, without its secrets.
CREATE TABLE IF NOT EXISTS endpoints (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	public_id VARCHAR(23) NOT NULL COMMENT 'ep_...',
	tenant_id INT UNSIGNED NOT NULL COMMENT 'of whose things it is told',
	user_id INT UNSIGNED NOT NULL COMMENT 'whose it is',
	is_config TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'the one of /api/webhooks',
	url VARCHAR(2048) NOT NULL,
	events VARCHAR(1000) NOT NULL COMMENT 'what it is told of, words with commas between: incident.*,alerts.triggered',
	secret_sealed VARBINARY(320) NULL COMMENT 'AES-256-GCM, context endpoint:<public id>; NULL = nothing is signed',
	old_secret_sealed VARBINARY(320) NULL COMMENT 'the one before, signed with as well...',
	old_secret_until BIGINT NULL COMMENT '...until then',
	retries TINYINT(1) NOT NULL DEFAULT 1 COMMENT 'what failed its quick attempts is tried for three days more; 0 = it has failed',
	enabled TINYINT(1) NOT NULL DEFAULT 1,
	disabled_reason VARCHAR(255) NULL COMMENT 'the program switched it off, and why; NULL = it did not',
	sent_at BIGINT NULL COMMENT 'newest delivery that was taken',
	failed_at BIGINT NULL COMMENT 'newest attempt that failed',
	failing_since BIGINT NULL COMMENT 'first attempt that failed since sent_at; NULL = none did',
	failures INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'attempts that failed since then',
	error VARCHAR(255) NULL COMMENT 'why the newest of these failed',
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT NULL,
	live TINYINT(1) AS (IF(deleted_at IS NULL, 1, NULL)) STORED,
	config TINYINT(1) AS (IF(deleted_at IS NULL AND is_config = 1, 1, NULL)) STORED,
	PRIMARY KEY (id),
	UNIQUE KEY by_public_id (public_id),
	UNIQUE KEY one_config (tenant_id, user_id, config),
	KEY by_user (tenant_id, user_id, live, id),	-- list of a user, newest first
	KEY by_tenant (tenant_id, live, id)		-- whom to tell
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What the outbox's row of a delivery does not say: whose it is, and what people want to know of it at a glance.
CREATE TABLE IF NOT EXISTS deliveries (
	id BIGINT UNSIGNED NOT NULL COMMENT 'outbox.id',
	tenant_id INT UNSIGNED NOT NULL COMMENT 'as its endpoint',
	user_id INT UNSIGNED NOT NULL COMMENT 'as its endpoint',
	endpoint_id INT UNSIGNED NOT NULL,
	event VARCHAR(64) NOT NULL COMMENT 'incident.opened, alerts.triggered...',
	url VARCHAR(2048) NOT NULL COMMENT 'where it went; while it waits, as its endpoint',
	summary VARCHAR(200) NOT NULL COMMENT 'its payload in a line',
	PRIMARY KEY (id),				-- one; gone with the row of the outbox
	KEY by_user (tenant_id, user_id, id),		-- history of a user, newest first
	KEY by_endpoint (endpoint_id, id)		-- of an endpoint
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;


-- ---- maintenance windows and silences ----

-- When nobody is told: maintenance windows, once or again and again, and silences. What is over goes after 90 days.
CREATE TABLE IF NOT EXISTS hushes (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	tenant_id INT UNSIGNED NOT NULL,
	kind TINYINT UNSIGNED NOT NULL COMMENT '1 maintenance window, 2 silence',
	public_id VARCHAR(23) NOT NULL COMMENT 'mw_... or si_...',
	name VARCHAR(100) NOT NULL,
	reason VARCHAR(1024) NOT NULL DEFAULT '',
	service_id INT UNSIGNED NULL COMMENT 'of its scope, as the four that follow: all that are not NULL must fit',
	source_id INT UNSIGNED NULL,
	dedup_key VARCHAR(255) NULL COMMENT 'each * stands for anything',
	provider VARCHAR(32) NULL COMMENT 'slug',
	level_max TINYINT UNSIGNED NULL COMMENT '1 + the highest severity that is held back',
	repeats TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 once, 1 daily, 2 weekly, 3 monthly',
	from_at BIGINT NULL COMMENT 'once: it begins then; else no span begins before; NULL = no such bound',
	to_at BIGINT NULL COMMENT 'once: it ends then; else no span begins then or later',
	at_min SMALLINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'a span begins so many minutes after local midnight',
	minutes SMALLINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'and lasts so long',
	weekdays TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'bits, 1 Monday to 64 Sunday',
	month_week TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '1 to 4, 5 = last: on that weekday of the month; 0 = on month_day',
	month_day TINYINT UNSIGNED NOT NULL DEFAULT 0,
	zone VARCHAR(64) NOT NULL DEFAULT 'UTC',
	ended_at BIGINT NULL COMMENT 'somebody ended what ran then',
	held_at BIGINT NULL COMMENT 'when it last held something back',
	over_at BIGINT NOT NULL COMMENT 'nothing of it is left then; the largest number where it has no end',
	user_id INT UNSIGNED NULL COMMENT 'who made it',
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY by_public_id (public_id),
	KEY living (tenant_id, over_at),		-- what may hold something back
	KEY changed (over_at, updated_at),		-- has ingest to look at it again?
	KEY by_kind (tenant_id, kind, id)		-- list
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Incidents that are held back: nobody was told what happened to them. The row goes when somebody is.
CREATE TABLE IF NOT EXISTS held_incidents (
	incident_id BIGINT UNSIGNED NOT NULL,
	hush_id INT UNSIGNED NOT NULL COMMENT 'by which; it may be gone',
	name VARCHAR(100) NOT NULL COMMENT 'of that',
	was_told TINYINT(1) NOT NULL COMMENT 'of the incident, before: only that it became more severe is held back',
	since BIGINT NOT NULL,
	until BIGINT NOT NULL COMMENT 'looked at again then',
	PRIMARY KEY (incident_id),
	KEY due (until),
	KEY by_hush (hush_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;


-- ---- on-call schedules ----

-- Who is on call. Its layers are rotations, the first one that has somebody wins.
CREATE TABLE IF NOT EXISTS schedules (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	tenant_id INT UNSIGNED NOT NULL,
	public_id VARCHAR(23) NOT NULL COMMENT 'sc_...',
	name VARCHAR(100) NOT NULL,
	description VARCHAR(1024) NOT NULL DEFAULT '',
	time_zone VARCHAR(64) NOT NULL COMMENT 'a name of the zone files; all times of layers are on its clocks',
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY by_public_id (public_id),
	UNIQUE KEY by_name (tenant_id, name),
	KEY by_tenant (tenant_id, id)			-- list
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS schedule_layers (
	schedule_id INT UNSIGNED NOT NULL,
	position TINYINT UNSIGNED NOT NULL COMMENT 'from 0',
	name VARCHAR(100) NOT NULL,
	unit TINYINT UNSIGNED NOT NULL COMMENT 'of the length of a turn: 1 hours, 2 days, 3 weeks',
	length SMALLINT UNSIGNED NOT NULL,
	at_min SMALLINT UNSIGNED NOT NULL COMMENT 'hand-over: minutes after midnight',
	weekday TINYINT UNSIGNED NOT NULL COMMENT 'of the hand-over, with weeks: 0 Monday to 6 Sunday',
	start_day INT NOT NULL COMMENT 'days since 1970: nobody is on call before at_min of it',
	weekdays TINYINT UNSIGNED NOT NULL COMMENT 'it counts on these days, bits: 1 Monday to 64 Sunday',
	from_min SMALLINT UNSIGNED NOT NULL COMMENT 'and from then on...',
	to_min SMALLINT UNSIGNED NOT NULL COMMENT '...until then; not after from_min: of the next day',
	PRIMARY KEY (schedule_id, position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS schedule_layer_users (
	schedule_id INT UNSIGNED NOT NULL,
	layer TINYINT UNSIGNED NOT NULL COMMENT 'schedule_layers.position',
	position TINYINT UNSIGNED NOT NULL COMMENT 'order of turns, from 0',
	user_id INT UNSIGNED NOT NULL COMMENT 'of a disabled user the next one has the turn',
	PRIMARY KEY (schedule_id, layer, position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
-- Somebody takes over for a while; wins over all layers, a later one over an earlier one. Kept a year, that the calendar is true.
CREATE TABLE IF NOT EXISTS schedule_overrides (
	id BIGINT UNSIGNED NOT NULL COMMENT 'made as those of events',
	schedule_id INT UNSIGNED NOT NULL,
	user_id INT UNSIGNED NOT NULL,
	from_at BIGINT NOT NULL,
	to_at BIGINT NOT NULL COMMENT 'not part of it',
	PRIMARY KEY (id),
	KEY by_schedule (schedule_id, to_at)		-- those that are not over; those that are long over
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;


-- ---- contacts ----

-- Where a person is paged. One that is not verified is told nothing but its code.
CREATE TABLE IF NOT EXISTS contacts (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	public_id VARCHAR(23) NOT NULL COMMENT 'ct_...',
	tenant_id INT UNSIGNED NOT NULL COMMENT 'of its user',
	user_id INT UNSIGNED NOT NULL,
	kind VARCHAR(20) NOT NULL COMMENT 'slug of src/channel: email, sms, push',
	address VARCHAR(512) NOT NULL COMMENT 'mail address, telephone number, URL',
	verified_at BIGINT NULL COMMENT 'its code was typed in',
	code_hash BINARY(32) NULL COMMENT 'HMAC of the code under the key file; NULL = none was asked for',
	code_until BIGINT NULL COMMENT 'the code counts until then',
	code_tries TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'wrong ones',
	sent_at BIGINT NULL COMMENT 'newest message that was taken',
	failed_at BIGINT NULL COMMENT 'newest attempt that failed',
	error VARCHAR(255) NULL COMMENT 'why; NULL = the newest was taken',
	created_at BIGINT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY by_public_id (public_id),
	UNIQUE KEY by_address (user_id, kind, address)	-- of a person
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- How a person wants to be paged; no row: at any time.
CREATE TABLE IF NOT EXISTS paging (
	user_id INT UNSIGNED NOT NULL,
	quiet TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'there are quiet hours',
	quiet_from SMALLINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'minutes after midnight on the clocks of time_zone',
	quiet_to SMALLINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'not part of them; before quiet_from: of the next day',
	time_zone VARCHAR(64) NOT NULL DEFAULT 'UTC',
	PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- How many codes that prove contacts were sent for a person, or to an address. Those of windows that are over go with the next code that anybody has sent.
CREATE TABLE IF NOT EXISTS contact_codes (
	id BINARY(32) NOT NULL COMMENT 'SHA-256 of what is counted: "hour 7" and "day 7" of users.id, "address sms +49..."',
	since BIGINT NOT NULL COMMENT 'an hour or a day in which they are counted began',
	codes INT UNSIGNED NOT NULL COMMENT 'sent in it',
	PRIMARY KEY (id),
	KEY by_since (since)				-- those that are over
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;


-- ---- escalation policies ----

-- Who is paged, step by step, while nobody takes care of an incident.
CREATE TABLE IF NOT EXISTS escalation_policies (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	tenant_id INT UNSIGNED NOT NULL,
	public_id VARCHAR(23) NOT NULL COMMENT 'po_...',
	name VARCHAR(100) NOT NULL,
	description VARCHAR(1024) NOT NULL DEFAULT '',
	steps MEDIUMTEXT NOT NULL COMMENT 'JSON: [{"delayMinutes","targets":[{"type","id"}]}]; the delay passes after its step',
	repeats TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'so often all steps once more',
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY by_public_id (public_id),
	UNIQUE KEY by_name (tenant_id, name),
	KEY by_tenant (tenant_id, id)			-- list
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Where each incident is in its policy; when somebody takes care or the policy is at its end, how it ended. Gone with its incident.
CREATE TABLE IF NOT EXISTS escalations (
	incident_id BIGINT UNSIGNED NOT NULL,
	policy_id INT UNSIGNED NOT NULL COMMENT 'as its service had it when it began',
	step TINYINT UNSIGNED NOT NULL COMMENT 'to be taken next, from 0',
	round TINYINT UNSIGNED NOT NULL COMMENT 'of the repeats, from 0',
	reached TINYINT(1) NOT NULL COMMENT 'somebody, in this round',
	reached_ever TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'somebody, in any round',
	paused TINYINT(1) NOT NULL COMMENT 'by a snooze, a window or a silence',
	since BIGINT NOT NULL COMMENT 'it waits since then; 0 = it has ended',
	next_at BIGINT NULL COMMENT 'due; NULL = it has ended',
	ended TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 it goes on, 1 acknowledged, 2 resolved, 3 all steps were taken, 4 the same, and none reached anybody, 5 its policy was deleted',
	ended_at BIGINT NULL,
	traceparent VARCHAR(55) NULL COMMENT 'W3C trace context of what began it; NULL = none',
	PRIMARY KEY (incident_id),
	KEY due (next_at),
	KEY waiting (since)				-- from the future: a clock was wrong
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;


-- ---- one-tap links ----

-- Links of messages that were used: each serves once. What a link says stands in it, signed; nothing else is stored of it.
CREATE TABLE IF NOT EXISTS link_uses (
	said_hash BINARY(16) NOT NULL COMMENT 'first half of the SHA-256 of what it says',
	incident_id BIGINT UNSIGNED NOT NULL,
	used_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL COMMENT 'end of the link: then nobody needs this row any more',
	PRIMARY KEY (said_hash),
	KEY by_end (expires_at)				-- those that go
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
ALTER TABLE timeline ADD COLUMN IF NOT EXISTS by_link VARCHAR(255) NULL COMMENT 'done by the link of a message: by which way it went, and to whom; NULL = it was not';


-- ---- merged incidents ----

-- An incident that goes on as a part of another is resolved, and its key lets what still fires join that one. NULL or 0 again when it is open again.
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS merged_into BIGINT UNSIGNED NULL COMMENT 'incidents.id; NULL = it was not merged';
ALTER TABLE incidents ADD INDEX IF NOT EXISTS by_merge (merged_into);	-- the parts of an incident
ALTER TABLE incident_keys ADD COLUMN IF NOT EXISTS merged_into BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'incidents.id that triggers join while it is unresolved; 0 = none';


-- ---- status pages ----

-- What a tenant shows to everybody.
CREATE TABLE IF NOT EXISTS status_pages (
	tenant_id INT UNSIGNED NOT NULL,
	slug VARCHAR(63) NOT NULL COMMENT 'its address is /status/SLUG: a-z, 0-9 and -',
	enabled TINYINT(1) NOT NULL DEFAULT 0,
	title VARCHAR(100) NOT NULL,
	about VARCHAR(1024) NOT NULL DEFAULT '' COMMENT 'a text above the list',
	show_titles TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'what incidents are called inside; else only which service, and how bad',
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (tenant_id),
	UNIQUE KEY by_slug (slug)			-- the page
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Which services stand there, and where.
CREATE TABLE IF NOT EXISTS status_services (
	tenant_id INT UNSIGNED NOT NULL,
	position TINYINT UNSIGNED NOT NULL COMMENT 'from 0, the first above',
	service_id INT UNSIGNED NOT NULL,
	PRIMARY KEY (tenant_id, position)		-- of a page, in its order
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

