/* SPDX-License-Identifier: MIT */
/* An XML document read by expat into a flat list, for looking at answers. */
#include "doc.h"

#include <expat.h>
#include <stdlib.h>

#include "harness.h"

#define DOC_MAX_BYTES (64u << 20)

struct reader {
	struct doc *d;
	size_t open[64];
	unsigned depth;
};

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *rd = ctx;
	struct doc *d = rd->d;
	struct buf a;

	EXPECT(rd->depth < ARRAY_LEN(rd->open));
	d->nodes = realloc(d->nodes, (d->nodes_n + 1) * sizeof *d->nodes);
	struct doc_node *n = &d->nodes[d->nodes_n];
	buf_init(&a, DOC_MAX_BYTES);
	for (; attributes[0]; attributes += 2)
		buf_addf(&a, " %s=\"%s\"", attributes[0], attributes[1]);
	*n = (struct doc_node){ rd->depth, strdup(name), strdup(buf_cstr(&a)), { 0 } };
	buf_init(&n->text, DOC_MAX_BYTES);
	buf_fini(&a);
	rd->open[rd->depth++] = d->nodes_n++;
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
	struct reader *rd = ctx;

	(void)name;
	rd->depth--;
}

static void XMLCALL on_text(void *ctx, const XML_Char *s, int n)
{
	struct reader *rd = ctx;

	if (rd->depth > 0)
		buf_add(&rd->d->nodes[rd->open[rd->depth - 1]].text, span_of(s, (size_t)n));
}

static bool prefixes_are_declared(struct span xml)
{
	XML_Parser p = XML_ParserCreateNS(NULL, '\n');
	bool ok = XML_Parse(p, xml.p, (int)xml.n, 1) == XML_STATUS_OK;

	XML_ParserFree(p);
	return ok;
}

void doc_parse(struct span xml, struct doc *out)
{
	XML_Parser p = XML_ParserCreate(NULL);
	struct reader rd = { .d = out };

	*out = (struct doc){ .nodes = NULL };
	XML_SetUserData(p, &rd);
	XML_SetElementHandler(p, on_start, on_end);
	XML_SetCharacterDataHandler(p, on_text);
	out->well_formed =
		XML_Parse(p, xml.p, (int)xml.n, 1) == XML_STATUS_OK && prefixes_are_declared(xml);
	XML_ParserFree(p);
}

void doc_fini(struct doc *d)
{
	for (size_t i = 0; i < d->nodes_n; i++) {
		free(d->nodes[i].name);
		free(d->nodes[i].attributes);
		buf_fini(&d->nodes[i].text);
	}
	free(d->nodes);
}

const struct doc_node *doc_find(const struct doc *d, const char *name, size_t nth)
{
	for (size_t i = 0; i < d->nodes_n; i++)
		if (strcmp(d->nodes[i].name, name) == 0 && nth-- == 0)
			return &d->nodes[i];
	return NULL;
}

size_t doc_count(const struct doc *d, const char *name)
{
	size_t n = 0;

	while (doc_find(d, name, n))
		n++;
	return n;
}

struct span doc_text(const struct doc *d, const char *name, size_t nth)
{
	const struct doc_node *n = doc_find(d, name, nth);

	if (!n)
		fprintf(stderr, "no element %s\n", name);
	EXPECT(n != NULL);
	return buf_span(&n->text);
}

const char *doc_attribute(const struct doc_node *n, const char *name)
{
	static char value[1024];
	char key[128];

	snprintf(key, sizeof key, " %s=\"", name);
	const char *at = strstr(n->attributes, key);
	if (!at)
		return "";
	at += strlen(key);
	snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\""), at);
	return value;
}
