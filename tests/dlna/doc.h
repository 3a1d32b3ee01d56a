/* SPDX-License-Identifier: MIT */
/* An XML document read by expat into a flat list, for looking at answers. */
#pragma once

#include "base/buf.h"

struct doc_node {
	unsigned depth;
	char *name;	  /* with its prefix, as written */
	char *attributes; /* " a=\"1\" b=\"2\"" in the order written, values resolved */
	struct buf text;  /* of its own, without its children's */
};

struct doc {
	struct doc_node *nodes; /* in document order */
	size_t nodes_n;
	bool well_formed; /* also: every prefix is declared */
};

void doc_parse(struct span xml, struct doc *out);
void doc_fini(struct doc *d);
/** The nth element of that name; NULL where there are fewer. */
const struct doc_node *doc_find(const struct doc *d, const char *name, size_t nth);
size_t doc_count(const struct doc *d, const char *name);
/** Its text; fails the test case where there is none of that name. */
struct span doc_text(const struct doc *d, const char *name, size_t nth);
/** An attribute's value, "" where it is missing. Lives until the next call. */
const char *doc_attribute(const struct doc_node *n, const char *name);
