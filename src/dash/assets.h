/* assets.h - the files of web/ that are in the program; src/gen/embed.c makes the table. */
#ifndef GRAPNEL_DASH_ASSETS_H
#define GRAPNEL_DASH_ASSETS_H

#include "grapnel/base.h"

struct asset {
	const char *name;	/* "grapnel.css" */
	const char *url;	/* "/assets/0123456789abcdef/grapnel.css": new content, new URL */
	const char *type;
	struct str content;
};

extern const struct asset assets[];	/* ends with { 0 } */

#endif
