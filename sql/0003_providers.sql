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
