/* qr.c - a QR code as SVG: libqrencode says which modules are dark, we draw them.
 *
 * Dark on light in both schemes, since apps expect that, so the two colours stand here as attributes and not in the style
 * sheet. Four modules of quiet zone (ISO/IEC 18004). One path, a row's neighbours as one run, keeps it below 6 KB. */
#include <qrencode.h>

#include "grapnel/html.h"

#define QUIET 4
#define QR_TEXT_MAX 1000	/* what a phone's camera still reads from a screen */

static void put_runs(struct strbuf *b, const QRcode *qr)
{
	for (int y = 0; y < qr->width; y++)
		for (int x = 0, run; x < qr->width; x += run + 1) {
			for (run = 0; x + run < qr->width && qr->data[y * qr->width + x + run] & 1; run++)
				;
			if (run)
				strbuf_addf(b, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, run, run);
		}
}

struct html html_f_qr(struct html_out *o, struct str text)
{
	struct strbuf b;
	QRcode *qr;
	int side;

	if (!text.n || text.n > QR_TEXT_MAX)
		return (struct html){ STR_NONE };
	qr = QRcode_encodeString8bit(arena_cstr(o->a, text), 0, QR_ECLEVEL_M);
	if (!qr)
		die("a QR code of %zu bytes failed", text.n);
	side = qr->width + 2 * QUIET;
	strbuf_init(&b, o->a, 256 + 24 * (size_t)(qr->width * qr->width));
	strbuf_addf(&b, "<svg class=\"qr\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"QR code\" shape-rendering=\"crispEdges\">"
		"<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path fill=\"#000\" d=\"", side, side, side, side);
	put_runs(&b, qr);
	strbuf_adds(&b, "\"/></svg>");
	QRcode_free(qr);
	return (struct html){ strbuf_str(&b) };
}
