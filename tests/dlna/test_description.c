/* SPDX-License-Identifier: MIT */
/* The device description and the service descriptions: well-formed and in step with the table. */
#include <stdlib.h>

#include "base/utf8.h"
#include "dlna/description.h"
#include "fixture.h"

static const uint8_t uuid[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0x4d, 0xef,
				  0x80, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07 };

static void description_of(const char *name, struct doc *out)
{
	struct buf b;
	buf_init(&b, DLNA_DOCUMENT_MAX_BYTES);
	description_add(&(struct description_options){ name, uuid }, &b);
	EXPECT_OK(buf_err(&b));
	doc_parse(buf_span(&b), out);
	EXPECT(out->well_formed);
	buf_fini(&b);
}

TEST(description, has_what_control_points_look_for)
{
	struct doc d;
	description_of("Film & Musik <1>", &d);
	EXPECT_SPAN(SPAN("Film & Musik <1>"), doc_text(&d, "friendlyName", 0));
	EXPECT_SPAN(SPAN("uuid:12345678-9abc-4def-8001-020304050607"), doc_text(&d, "UDN", 0));
	EXPECT_SPAN(SPAN("urn:schemas-upnp-org:device:MediaServer:1"),
		    doc_text(&d, "deviceType", 0));
	EXPECT_SPAN(SPAN("salver"), doc_text(&d, "modelName", 0));
	EXPECT_SPAN(SPAN("DMS-1.50"), doc_text(&d, "dlna:X_DLNADOC", 0));
	EXPECT_SPAN(SPAN("M-DMS-1.50"), doc_text(&d, "dlna:X_DLNADOC", 1));
	EXPECT_SPAN(SPAN("smi,DCM10,getMediaInfo.sec,getCaptionInfo.sec"),
		    doc_text(&d, "sec:ProductCap", 0));
	EXPECT_SPAN(SPAN("/"), doc_text(&d, "presentationURL", 0));
	EXPECT_U64(0, doc_count(&d, "URLBase"));
	EXPECT_U64(4, doc_count(&d, "icon"));
	EXPECT_SPAN(SPAN("urn:upnp-org:serviceId:ContentDirectory"), doc_text(&d, "serviceId", 0));
	EXPECT_U64(3, doc_count(&d, "service"));
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < i; j++)
			EXPECT(!span_eq(doc_text(&d, "eventSubURL", i),
					doc_text(&d, "eventSubURL", j)));
	EXPECT(doc_text(&d, "serialNumber", 0).n < 64);
	EXPECT(doc_text(&d, "modelNumber", 0).n < 32);
	EXPECT(doc_text(&d, "modelDescription", 0).n < 128);
	doc_fini(&d);
}

TEST(description, a_long_name_is_cut_between_characters)
{
	char name[3 * 100 + 1] = "";
	struct doc d;
	for (size_t i = 0; i < 100; i++)
		memcpy(name + 3 * i, "\xe2\x82\xac", 4);
	description_of(name, &d);
	EXPECT_U64(63 * 3, doc_text(&d, "friendlyName", 0).n);
	doc_fini(&d);
	description_of("", &d);
	EXPECT_SPAN(SPAN("salver"), doc_text(&d, "friendlyName", 0));
	doc_fini(&d);
}

TEST(description, icons_are_what_they_say)
{
	for (size_t i = 0; i < ICONS_N; i++) {
		struct icon icon = icon_at(i);
		if (strcmp(icon.mime, "image/png") == 0) {
			EXPECT(span_starts(icon.bytes, SPAN("\x89PNG\r\n\x1a\n")));
			EXPECT_U64(icon.size, (uint8_t)icon.bytes.p[19]);
			EXPECT_U64(icon.size, (uint8_t)icon.bytes.p[23]);
			EXPECT_U64(2, (uint8_t)icon.bytes.p[25]); /* RGB: 24 bits */
			EXPECT(span_ends(icon.bytes, SPAN("IEND\xae\x42\x60\x82")));
		} else {
			EXPECT_STR("image/jpeg", icon.mime);
			EXPECT(span_starts(icon.bytes, SPAN("\xff\xd8\xff\xe0\x00\x10JFIF")));
			EXPECT(span_ends(icon.bytes, SPAN("\xff\xd9")));
		}
	}
}

TEST(scpd, says_what_the_table_says)
{
	for (size_t i = 0; i < SERVICES_N; i++) {
		const struct service *s = &services[i];
		struct doc d;
		struct buf b;
		size_t actions_n = 0, arguments_n = 0, variables_n = 0;
		buf_init(&b, DLNA_DOCUMENT_MAX_BYTES);
		scpd_add(s, &b);
		EXPECT_OK(buf_err(&b));
		doc_parse(buf_span(&b), &d);
		EXPECT(d.well_formed);
		for (const struct action *a = s->actions; a->name; a++, actions_n++) {
			size_t ins_n = 0;
			bool outs = false;
			for (const struct argument *arg = a->arguments;
			     arg->direction != ARGUMENT_END; arg++, arguments_n++) {
				EXPECT(state_variable_find(s, span_str(arg->variable)) != NULL);
				EXPECT(!(outs && arg->direction == ARGUMENT_IN)); /* UDA 2.3 */
				outs = outs || arg->direction == ARGUMENT_OUT;
				ins_n += arg->direction == ARGUMENT_IN;
			}
			EXPECT(ins_n <= ACTION_ARGS_IN_MAX);
		}
		for (const struct state_variable *v = s->variables; v->name; v++, variables_n++) {
			/* every variable is used, A_ARG_TYPE_* only by arguments */
			EXPECT((strncmp(v->name, "A_ARG_TYPE_", 11) == 0) == (v->get == NULL));
			EXPECT(!v->evented || v->get);
		}
		EXPECT_U64(actions_n, doc_count(&d, "action"));
		EXPECT_U64(arguments_n, doc_count(&d, "argument"));
		EXPECT_U64(variables_n, doc_count(&d, "stateVariable"));
		doc_fini(&d);
		buf_fini(&b);
	}
}
