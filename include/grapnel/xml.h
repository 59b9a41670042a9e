/* xml.h - reading XML into the tree that JSON gives, so that one set of paths serves both.
 *
 *	<a:Envelope xmlns:a="urn:x">		{ "Envelope": {
 *	  <Id>7</Id>					"Id": "7",
 *	  <Row type="new">first</Row>			"Row": [ { "@type": "new", "#text": "first" },
 *	  <Row/>						"" ] } }
 *	</a:Envelope>
 *
 * An element is a member by its local name. Without attributes and elements inside it is its text, trimmed; else an object, with its
 * attributes as "@name" (local names too, declarations of namespaces are none) and its text, if it has any, as "#text". Elements
 * of one name are an array, where the first of them stands; a single one is none, as XML cannot say that it is meant as a list. */
#ifndef GRAPNEL_XML_H
#define GRAPNEL_XML_H

#include "grapnel/json.h"

#define XML_DEPTH_MAX (JSON_DEPTH_MAX / 2)	/* each level can be an object in an array; SOAP has 6 */

/* ERR_INVALID with the byte position, or ERR_LIMIT: over XML_DEPTH_MAX levels, or over JSON_NODES_MAX elements and attributes. DTDs, and
 * with them entities, are refused. UTF-8, US-ASCII and ISO-8859-1 are taken, with or without a byte order mark. */
bool xml_parse(struct arena *a, struct str text, const struct json **out, struct err *e) MUST_USE;

#endif
