/* SPDX-License-Identifier: MIT */
/* Reading a SOAP envelope with expat: Envelope, Body, the action, its arguments. Nothing else of
 * the document is kept, and nothing that a DTD could bring is let in. */
#include <expat.h>

#include "dlna/soap.h"

#define NAME_MAX_BYTES 256
#define NS_SEPARATOR '\n' /* cannot be part of a name or a namespace */

/* Where an element stands, by its depth. */
enum { DEPTH_ENVELOPE = 1, DEPTH_BODY, DEPTH_ACTION, DEPTH_ARGUMENT };

struct range {
	size_t at, n;
};

/* Offsets while the text still grows; spans once it is whole. */
struct reader {
	XML_Parser parser;
	struct soap_request *r;
	enum err err;
	unsigned depth;
	bool in_body;
	bool has_action;
	bool in_argument;
	struct range name_space, action;
	struct range names[SOAP_ARGUMENTS_MAX], values[SOAP_ARGUMENTS_MAX];
};

static void reader_fail(struct reader *rd, enum err e)
{
	if (rd->err == ERR_OK)
		rd->err = e;
	XML_StopParser(rd->parser, XML_FALSE);
}

static struct range keep(struct reader *rd, struct span s)
{
	struct range range = { rd->r->text.n, s.n };

	buf_add(&rd->r->text, s);
	return range;
}

/** Expat's "namespace\nlocal", or "local" alone. */
static struct span split_name(const char *qualified, struct span *out_local)
{
	struct span all = span_str(qualified);
	size_t at = span_find(all, NS_SEPARATOR);

	if (at == all.n) {
		*out_local = all;
		return (struct span){ "", 0 };
	}
	*out_local = span_skip(all, at + 1);
	return span_first(all, at);
}

static void action_begin(struct reader *rd, struct span name_space, struct span local)
{
	if (rd->has_action) { /* one call per envelope */
		reader_fail(rd, ERR_INVALID);
		return;
	}
	rd->has_action = true;
	rd->name_space = keep(rd, name_space);
	rd->action = keep(rd, local);
}

static void argument_begin(struct reader *rd, struct span local)
{
	if (rd->r->arguments_n == SOAP_ARGUMENTS_MAX) {
		rd->r->surplus = true;
		return;
	}
	size_t i = rd->r->arguments_n++;
	rd->names[i] = keep(rd, local);
	rd->values[i] = (struct range){ rd->r->text.n, 0 };
	rd->in_argument = true;
}

static void XMLCALL on_start(void *ctx, const XML_Char *qualified, const XML_Char **attributes)
{
	struct reader *rd = ctx;
	struct span local;
	struct span name_space = split_name(qualified, &local);

	(void)attributes;
	rd->depth++;
	if (rd->depth > SOAP_DEPTH_MAX || local.n > NAME_MAX_BYTES || name_space.n > NAME_MAX_BYTES)
		reader_fail(rd, ERR_LIMIT);
	else if (rd->depth == DEPTH_ENVELOPE && !span_eq(local, SPAN("Envelope")))
		reader_fail(rd, ERR_INVALID);
	else if (rd->depth == DEPTH_BODY)
		rd->in_body = span_eq(local, SPAN("Body"));
	else if (rd->depth == DEPTH_ACTION && rd->in_body)
		action_begin(rd, name_space, local);
	else if (rd->depth == DEPTH_ARGUMENT && rd->in_body)
		argument_begin(rd, local);
	else if (rd->depth > DEPTH_ARGUMENT && rd->in_body)
		rd->r->surplus = true;
}

static void XMLCALL on_end(void *ctx, const XML_Char *qualified)
{
	struct reader *rd = ctx;

	(void)qualified;
	if (rd->depth == DEPTH_ARGUMENT)
		rd->in_argument = false;
	rd->depth--;
}

static void XMLCALL on_text(void *ctx, const XML_Char *s, int n)
{
	struct reader *rd = ctx;

	if (!rd->in_argument || rd->depth != DEPTH_ARGUMENT)
		return;
	buf_add(&rd->r->text, span_of(s, (size_t)n));
	rd->values[rd->r->arguments_n - 1].n += (size_t)n;
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id,
			       const XML_Char *public_id, int has_internal_subset)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_internal_subset;
	reader_fail(ctx, ERR_INVALID);
}

static void parser_freep(XML_Parser *p)
{
	if (*p)
		XML_ParserFree(*p);
}

static void resolve(struct reader *rd)
{
	struct soap_request *r = rd->r;
	const char *base = r->text.p;

	r->name_space = span_of(base + rd->name_space.at, rd->name_space.n);
	r->action = span_of(base + rd->action.at, rd->action.n);
	for (size_t i = 0; i < r->arguments_n; i++) {
		r->arguments[i].name = span_of(base + rd->names[i].at, rd->names[i].n);
		r->arguments[i].value = span_of(base + rd->values[i].at, rd->values[i].n);
	}
}

/** What some devices put around the document: blanks before it, blanks and a NUL behind it. */
static struct span strip_slack(struct span body)
{
	while (body.n > 0 && body.p[body.n - 1] == '\0')
		body.n--;
	return span_trim(body);
}

enum err soap_request_parse(struct span body, struct soap_request *out)
{
	*out = (struct soap_request){ .arguments_n = 0 };
	/* References only ever shrink, names are counted apart: the text fits in this. */
	buf_init(&out->text, 2 * SOAP_BODY_MAX_BYTES);
	if (body.n > SOAP_BODY_MAX_BYTES)
		return ERR_LIMIT;

	CLEANUP(parser_freep) XML_Parser parser = XML_ParserCreateNS(NULL, NS_SEPARATOR);
	if (!parser)
		return ERR_NOMEM;
	struct reader rd = { .parser = parser, .r = out };
	XML_SetUserData(parser, &rd);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetStartDoctypeDeclHandler(parser, on_doctype);

	body = strip_slack(body);
	enum XML_Status status = XML_Parse(parser, body.p, (int)body.n, XML_TRUE);
	if (rd.err != ERR_OK)
		return rd.err;
	if (status != XML_STATUS_OK)
		return XML_GetErrorCode(parser) == XML_ERROR_NO_MEMORY ? ERR_NOMEM : ERR_INVALID;
	if (buf_err(&out->text) != ERR_OK)
		return buf_err(&out->text);
	if (!rd.has_action)
		return ERR_INVALID;
	resolve(&rd);
	return ERR_OK;
}

void soap_request_fini(struct soap_request *r)
{
	buf_fini(&r->text);
}
