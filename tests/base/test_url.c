/* SPDX-License-Identifier: MIT */
/* Tests of src/base/url.c. */
#include "base/url.h"
#include "harness.h"

TEST(url, all_but_unreserved_is_encoded)
{
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 100);

	url_add_encoded(&b, SPAN("aZ09-._~ /%?\xC3\xA9"));
	EXPECT_STR("aZ09-._~%20%2F%25%3F%C3%A9", buf_cstr(&b));
}

TEST(url, decoding_undoes_encoding_of_all_bytes)
{
	CLEANUP(buf_fini) struct buf b, back;
	char bytes[255];
	buf_init(&b, 1000);
	buf_init(&back, 1000);

	for (int i = 0; i < 255; i++)
		bytes[i] = (char)(i + 1);
	url_add_encoded(&b, span_of(bytes, sizeof bytes));
	EXPECT_OK(url_add_decoded(&back, buf_span(&b)));
	EXPECT_SPAN(span_of(bytes, sizeof bytes), buf_span(&back));
}

TEST(url, broken_escapes_and_nul_are_refused)
{
	static const char *const bad[] = { "%", "%4", "a%", "%zz", "%4g", "%%41", "%00", "a%00b" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_fini) struct buf b;
		buf_init(&b, 100);
		EXPECT_ERR(ERR_INVALID, url_add_decoded(&b, span_str(bad[i])));
	}
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 100);
	EXPECT_OK(url_add_decoded(&b, SPAN("a+b%2f%2F")));
	EXPECT_STR("a+b//", buf_cstr(&b)); /* '+' is itself: no form data here */
}

TEST(url, query_values_are_found_by_whole_name)
{
	struct span v = SPAN("untouched");

	EXPECT(!url_query_get(SPAN(""), SPAN("a"), &v));
	EXPECT(!url_query_get(SPAN("ab=1&ba=2"), SPAN("a"), &v));
	EXPECT_SPAN(SPAN("untouched"), v);
	EXPECT(url_query_get(SPAN("x=1&a=2=3&a=4"), SPAN("a"), &v));
	EXPECT_SPAN(SPAN("2=3"), v);
	EXPECT(url_query_get(SPAN("x&a"), SPAN("a"), &v));
	EXPECT_SPAN(SPAN(""), v);
	EXPECT(url_query_get(SPAN("&&a="), SPAN("a"), &v));
	EXPECT_SPAN(SPAN(""), v);
}
