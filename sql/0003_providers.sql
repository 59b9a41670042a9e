-- 0003 providers: what the adapters of all providers need beside sources and events.

-- Certificates and key sets of providers, by URL: fetched by a worker that needs one for a proof, or put there by an administrator. All
-- workers of all hosts share them, so that each is fetched once; tried_at is claimed by compare-and-set before a fetch.
CREATE TABLE IF NOT EXISTS key_documents (
	url_hash BINARY(32) NOT NULL COMMENT 'SHA-256 of url',
	url VARCHAR(1024) NOT NULL,
	text MEDIUMTEXT NULL COMMENT 'PEM or JSON as the host gave it; NULL = not had yet',
	pinned TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'an administrator put it there: trusted as it is, never fetched',
	absent TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'at tried_at the host said that it has none',
	fetched_at BIGINT NULL COMMENT 'when text came',
	fresh_until BIGINT NULL COMMENT 'text is fetched anew when it is needed after that; a certificate ends then',
	tried_at BIGINT NULL COMMENT 'newest attempt to fetch, in work or failed: no other within a minute',
	PRIMARY KEY (url_hash),
	KEY by_tried (tried_at)			-- cleanup of those that were never had
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What the request page tells of the proof, step by step; the steps before the one that failed are told by the provider's rows.
ALTER TABLE requests ADD COLUMN IF NOT EXISTS proof VARCHAR(400) NULL COMMENT 'where the key stood, scheme, failed step, clock skew in s, sentence; blanks between, - for what there was not; NULL = unknown';

-- What a source has heard of itself. A sender that was there before is verified by what it has sent.
ALTER TABLE sources ADD COLUMN IF NOT EXISTS verified_at BIGINT NULL COMMENT 'first message that was proven; NULL = none yet';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS disconnected_at BIGINT NULL COMMENT 'the sender said that it sends no more; NULL again with its next message';
UPDATE sources s SET s.verified_at = (SELECT MAX(t.last_at) FROM source_stats t WHERE t.source_id = s.id AND t.hour = 0 AND t.received > t.errors + t.tests)
	WHERE s.verified_at IS NULL;

-- A secret that the sender brought is shown to an administrator once: some senders want it back (Notion).
ALTER TABLE source_secrets ADD COLUMN IF NOT EXISTS unseen TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'came with a handshake and was not shown yet';

-- What came of a row of the outbox. The cause of a subscription confirmation is the request that asked for it, its target the source.
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS answer VARCHAR(255) NULL COMMENT 'what the receiver said of it that is worth to be kept';
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS finished_at BIGINT NULL COMMENT 'sent, or given up';
ALTER TABLE outbox ADD INDEX IF NOT EXISTS by_target (kind, target_id, id);	-- newest of a source, channel or endpoint
