/* SPDX-License-Identifier: MIT */
/* Conditional and DLNA request headers, case by case. */
#include "harness.h"
#include "web/conditions.h"

#define ETAG SPAN("\"5-10-20\"")
#define MODIFIED 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Mon, 07 Nov 1994 08:49:37 GMT"

static struct span said(const char *text)
{
	return span_str(text);
}

TEST(conditions, what_a_cache_asks)
{
	static const struct {
		const char *if_match, *if_none_match, *if_modified_since, *if_unmodified_since;
		unsigned status;
	} cases[] = {
		{ NULL, NULL, NULL, NULL, 0 },
		{ NULL, "\"5-10-20\"", NULL, NULL, 304 },
		{ NULL, "W/\"5-10-20\"", NULL, NULL, 304 },
		{ NULL, "\"x\", \"5-10-20\"", NULL, NULL, 304 },
		{ NULL, "*", NULL, NULL, 304 },
		{ NULL, "\"x\"", NULL, NULL, 0 },
		{ NULL, "", NULL, NULL, 0 },
		{ NULL, "\"x\"", DATE, NULL, 0 }, /* the tag outranks the date */
		{ NULL, NULL, DATE, NULL, 304 },
		{ NULL, NULL, LATER, NULL, 304 },
		{ NULL, NULL, EARLIER, NULL, 0 },
		{ NULL, NULL, "yesterday", NULL, 0 },
		{ NULL, NULL, "Sunday, 06-Nov-44 08:49:37 GMT", NULL, 304 },
		{ NULL, NULL, "Sun Nov  6 08:49:37 1994", NULL, 304 },
		{ NULL, NULL, "Sat Nov  6 08:49:37 1993", NULL, 0 },
		{ "\"5-10-20\"", NULL, NULL, NULL, 0 },
		{ "*", NULL, NULL, NULL, 0 },
		{ "\"x\"", NULL, NULL, NULL, 412 },
		{ "W/\"5-10-20\"", NULL, NULL, NULL, 412 },
		{ "\"x\"", "\"5-10-20\"", NULL, NULL, 412 },
		{ NULL, NULL, NULL, DATE, 0 },
		{ NULL, NULL, NULL, EARLIER, 412 },
		{ "\"5-10-20\"", NULL, NULL, EARLIER, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct conditions c = { .if_match = said(cases[i].if_match),
					.if_none_match = said(cases[i].if_none_match),
					.if_modified_since = said(cases[i].if_modified_since),
					.if_unmodified_since = said(cases[i].if_unmodified_since) };
		EXPECT_U64(cases[i].status, conditions_check(&c, ETAG, MODIFIED));
	}
}

TEST(conditions, a_part_of_another_version_is_not_sent)
{
	static const struct {
		const char *if_range;
		bool valid;
	} cases[] = {
		{ NULL, true }, { "\"5-10-20\"", true }, { "\"x\"", false },
		{ DATE, true }, { EARLIER, false },	 { LATER, false },
		{ "", false },	{ "rubbish", false },	 { "W/\"5-10-20\"", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct conditions c = { .if_range = said(cases[i].if_range) };
		EXPECT(cases[i].valid == conditions_range_valid(&c, ETAG, MODIFIED));
	}
}

TEST(conditions, dlna_headers_are_echoed_or_refused)
{
	static const struct {
		const char *mode, *features, *seek, *speed, *real_time;
		bool interactive_av, image;
		unsigned status;
		const char *answer;
	} cases[] = {
		{ NULL, NULL, NULL, NULL, NULL, false, false, 0, "Streaming" },
		{ NULL, NULL, NULL, NULL, NULL, false, true, 0, "Interactive" },
		{ "Streaming", "1", NULL, NULL, NULL, false, false, 0, "Streaming" },
		{ "background", NULL, NULL, NULL, NULL, false, true, 0, "Background" },
		{ "Interactive", NULL, NULL, NULL, NULL, false, true, 0, "Interactive" },
		{ "Interactive", NULL, NULL, NULL, NULL, false, false, 406, NULL },
		{ "Interactive", NULL, NULL, NULL, NULL, true, false, 0, "Interactive" },
		{ "Interactive", NULL, NULL, NULL, "DLNA.ORG_TLAG=*", false, true, 400, NULL },
		{ "Streaming", NULL, NULL, NULL, NULL, false, true, 406, NULL },
		{ "Sideways", NULL, NULL, NULL, NULL, false, false, 406, NULL },
		{ "", NULL, NULL, NULL, NULL, false, false, 406, NULL },
		{ NULL, "0", NULL, NULL, NULL, false, false, 400, NULL },
		{ NULL, "", NULL, NULL, NULL, false, false, 400, NULL },
		{ NULL, NULL, "npt=10-", NULL, NULL, false, false, 406, NULL },
		{ NULL, NULL, NULL, "speed=1", NULL, false, false, 0, "Streaming" },
		{ NULL, NULL, NULL, "speed=2", NULL, false, false, 406, NULL },
		{ NULL, NULL, NULL, "2", NULL, false, false, 400, NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *answer = NULL;
		struct dlna_request r = { .transfer_mode = said(cases[i].mode),
					  .content_features = said(cases[i].features),
					  .time_seek = said(cases[i].seek),
					  .play_speed = said(cases[i].speed),
					  .real_time_info = said(cases[i].real_time),
					  .interactive_av = cases[i].interactive_av,
					  .image = cases[i].image };
		EXPECT_U64(cases[i].status, dlna_request_check(&r, &answer));
		if (cases[i].answer)
			EXPECT_STR(cases[i].answer, answer);
	}
}
