/* SPDX-License-Identifier: MIT */
/* Object ids: strict, and the same in both directions. */
#include "harness.h"
#include "library/object_id.h"

static void expect_round_trip(const char *text)
{
	struct object_id id;
	char again[LIBRARY_ID_MAX];
	EXPECT_OK(object_id_parse(span_str(text), &id));
	object_id_format(&id, again);
	EXPECT_STR(text, again);
}

TEST(object_id, every_form_is_parsed_and_formatted_alike)
{
	static const char *const ids[] = {
		"0",
		"A",
		"AT",
		"AR",
		"AL",
		"AG",
		"AY",
		"V",
		"VT",
		"I",
		"IT",
		"F",
		"d1",
		"d4294967295",
		"ar7",
		"ar7/all",
		"ar7/al3",
		"al3",
		"g5",
		"y1999",
		"y65535",
		"i1",
		"AT/i5",
		"VT/i5",
		"IT/i5",
		"ar7/all/i5",
		"ar7/al3/i5",
		"al3/i5",
		"g5/i9",
		"y1999/i9",
		"ar4294967295/al4294967295/i4294967295",
		"AA",
		"AC",
		"AN",
		"AF",
		"VN",
		"VF",
		"IN",
		"IF",
		"ID",
		"P",
		"AN/i5",
		"AF/i5",
		"aa7",
		"aa7/al3",
		"aa7/al3/i5",
		"c7",
		"c7/i5",
		"py2024",
		"pm202405",
		"pm202405/i5",
		"pl7",
		"pl7/e9",
		"da5",
		"dv5/i5",
		"di5",
	};
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		expect_round_trip(ids[i]);
}

TEST(object_id, aliases_of_televisions_lead_to_the_static_containers)
{
	struct object_id id;
	EXPECT_OK(object_id_parse(SPAN("1"), &id));
	EXPECT_U64(STATIC_MUSIC, id.number);
	EXPECT_OK(object_id_parse(SPAN("2"), &id));
	EXPECT_U64(STATIC_VIDEO, id.number);
	EXPECT_OK(object_id_parse(SPAN("3"), &id));
	EXPECT_U64(STATIC_PICTURES, id.number);
}

TEST(object_id, whatever_else_is_no_object)
{
	static const char *const ids[] = {
		"",	   " ",		  "-1",		"4",	  "00",	      "AB",
		"a",	   "d",		  "d0",		"d01",	  "d-1",      "d4294967296",
		"d7x",	   "d 7",	  "d7/",	"d7/i5",  "F/i5",     "A/i5",
		"0/i5",	   "ar7/",	  "ar7/i5",	"ar7/a",  "ar7/all/", "ar7/all/x",
		"ar7/al0", "ar7/al3/",	  "ar7/al3/i0", "i0",	  "i",	      "i5/i5",
		"AT/i5/",  "AT/i5/i5",	  "AT/",	"y0",	  "y65536",   "al3/al3",
		"aa7/all", "aa7/i5",	  "py2024/i5",	"pl7/i5", "pl7/e0",   "pl7/e9/i5",
		"ID/i5",   "P/i5",	  "P/e5",	"d5/e1",  "c0",	      "dx5",
		"g5/all",  "ar7/all/al3", "d0cs",	"1/i5",	  "I5",	      "D7",
	};
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct object_id id = { .number = 77 };
		printf("id %zu of the list\n", i);
		EXPECT_ERR(ERR_NOTFOUND, object_id_parse(span_str(ids[i]), &id));
		EXPECT_U64(77, id.number);
	}
}

TEST(object_id, random_text_is_refused_or_comes_back_the_same)
{
	static const char alphabet[] = "0129ARLGYVITFdarlgyi/";
	for (int round = 0; round < 200000; round++) {
		char text[16], again[LIBRARY_ID_MAX];
		size_t n = test_random() % sizeof text;
		for (size_t i = 0; i < n; i++)
			text[i] = alphabet[test_random() % (sizeof alphabet - 1)];
		struct object_id id;
		if (object_id_parse(span_of(text, n), &id) != ERR_OK)
			continue;
		object_id_format(&id, again);
		bool alias = n == 1 && text[0] >= '1' && text[0] <= '3';
		if (!alias)
			EXPECT_SPAN(span_of(text, n), span_str(again));
	}
}
