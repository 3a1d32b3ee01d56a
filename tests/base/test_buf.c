/* SPDX-License-Identifier: MIT */
/* Tests of src/base/buf.c. */
#include <stdlib.h>

#include "base/buf.h"
#include "harness.h"

TEST(buf, appends_of_every_kind)
{
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 1000);

	EXPECT_STR("", buf_cstr(&b));
	buf_add(&b, SPAN("ab"));
	buf_add(&b, (struct span){ NULL, 0 });
	buf_add_str(&b, "c");
	buf_add_char(&b, 'd');
	buf_add_u64(&b, 0);
	buf_add_u64(&b, UINT64_MAX);
	buf_addf(&b, "%d-%s", -5, "x");
	EXPECT_STR("abcd018446744073709551615-5-x", buf_cstr(&b));
	EXPECT_OK(buf_err(&b));
}

TEST(buf, content_survives_many_growths)
{
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 1 << 20);

	for (unsigned i = 0; i < 100000; i++)
		buf_add_char(&b, (char)('a' + i % 26));
	EXPECT_U64(100000, b.n);
	for (unsigned i = 0; i < 100000; i++)
		EXPECT(b.p[i] == (char)('a' + i % 26));
}

TEST(buf, maximum_is_reached_exactly_and_not_passed)
{
	for (size_t max = 1; max < 600; max += 7) {
		CLEANUP(buf_fini) struct buf b;
		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			buf_add_char(&b, 'x');
		EXPECT_OK(buf_err(&b));
		EXPECT_U64(max, strlen(buf_cstr(&b)));
		buf_add_char(&b, 'y');
		EXPECT_ERR(ERR_LIMIT, buf_err(&b));
		EXPECT_U64(max, b.n);
		EXPECT_STR("", buf_cstr(&b));
	}
}

TEST(buf, errors_stick_until_clear)
{
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 4);

	buf_add_str(&b, "abc");
	buf_add_str(&b, "de");
	EXPECT_ERR(ERR_LIMIT, buf_err(&b));
	buf_add_str(&b, "d");
	buf_add_u64(&b, 1);
	buf_addf(&b, "%d", 1);
	EXPECT(buf_room(&b, 1) == NULL);
	EXPECT_SPAN(SPAN("abc"), buf_span(&b));
	buf_clear(&b);
	buf_add_str(&b, "wxyz");
	EXPECT_STR("wxyz", buf_cstr(&b));
}

TEST(buf, long_formats_and_formats_to_the_brim)
{
	char long_text[1001];
	memset(long_text, 'q', 1000);
	long_text[1000] = '\0';

	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 1001);
	buf_addf(&b, "%s", long_text);
	buf_addf(&b, "%s", "z");
	EXPECT_OK(buf_err(&b));
	EXPECT_U64(1001, b.n);
	EXPECT_SPAN(span_str(long_text), span_first(buf_span(&b), 1000));
	buf_addf(&b, "%s", long_text);
	EXPECT_ERR(ERR_LIMIT, buf_err(&b));

	CLEANUP(buf_fini) struct buf full;
	buf_init(&full, 1000);
	buf_addf(&full, "%s", long_text);
	EXPECT_STR(long_text, buf_cstr(&full));
}

TEST(buf, absurd_sizes_are_refused)
{
	CLEANUP(buf_fini) struct buf b;

	buf_init(&b, 100);
	buf_add_char(&b, 'a');
	EXPECT(buf_room(&b, SIZE_MAX) == NULL);
	EXPECT_ERR(ERR_LIMIT, buf_err(&b));
}

TEST(buf, room_is_written_by_the_caller)
{
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 100);

	memcpy(buf_room(&b, 3), "xyz", 3);
	b.n += 3;
	EXPECT_STR("xyz", buf_cstr(&b));
}

TEST(buf, take_hands_over_and_empties)
{
	struct buf b;
	size_t n = 77;
	buf_init(&b, 100);

	EXPECT(buf_take(&b, &n) == NULL);
	EXPECT_U64(0, n);
	buf_add_str(&b, "abc");
	char *p = buf_take(&b, &n);
	EXPECT_SPAN(SPAN("abc"), span_of(p, n));
	free(p);
	EXPECT_U64(0, b.n);
	buf_add_str(&b, "again");
	buf_clear(&b);
	EXPECT(buf_take(&b, &n) == NULL); /* frees what was kept */
	buf_fini(&b);
	buf_fini(NULL);
}
