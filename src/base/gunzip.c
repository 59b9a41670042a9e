/* gunzip.c - a request body that came with Content-Encoding: gzip. The size of what comes out is
 * limited, since a few kilobytes can stand for gigabytes. */
#include "grapnel/base.h"

#include <zlib.h>

#define GZIP_WINDOW (15 + 16)	/* zlib.h: 32 KiB window, gzip header and trailer only */

int gunzip(struct arena *a, struct str in, size_t max, struct str *out)
{
	struct strbuf b;
	unsigned char chunk[16384];
	z_stream z = { 0 };
	int rc;

	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		die("zlib: no memory");
	strbuf_init(&b, a, max);
	z.next_in = (unsigned char *)(uintptr_t)in.p;
	z.avail_in = (unsigned)in.n;
	do {
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		rc = inflate(&z, Z_NO_FLUSH);
		if (rc == Z_OK || rc == Z_STREAM_END)
			strbuf_add(&b, chunk, sizeof(chunk) - z.avail_out);
		if (rc == Z_STREAM_END && z.avail_in)	/* RFC 1952, section 2.2: members follow each other */
			rc = inflateReset(&z);
	} while (rc == Z_OK && !b.failed);
	inflateEnd(&z);
	*out = strbuf_str(&b);
	return b.failed ? 0 : rc == Z_STREAM_END && !z.avail_in ? 1 : -1;
}
