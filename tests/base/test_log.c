/* SPDX-License-Identifier: MIT */
/* Tests of src/base/log.c. */
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/utf8.h"
#include "harness.h"

/* stderr goes into a file from here on. */
static void catch_stderr(void)
{
	int dir = open(test_tmpdir(), O_RDONLY | O_DIRECTORY);
	int fd = openat(dir, "log", O_RDWR | O_CREAT | O_APPEND, 0600);

	EXPECT(dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	close(fd);
	close(dir);
}

static struct buf caught(void)
{
	int dir = open(test_tmpdir(), O_RDONLY | O_DIRECTORY);
	struct buf b;

	EXPECT_OK(fd_read_file(dir, "log", 1 << 20, &b));
	close(dir);
	return b;
}

static unsigned lines_in(struct span s)
{
	unsigned n = 0;

	while (s.n > 0) {
		(void)span_cut(&s, '\n');
		n++;
	}
	return n;
}

TEST(log, line_names_level_and_area_and_has_one_end)
{
	catch_stderr();
	log_warn(LOG_SCAN, "cannot read %s\nerror main: forged", QUOTE(SPAN("a\nb")));
	log_debug(LOG_DB, "not shown");
	log_set_level(LOG_DEBUG);
	log_debug(LOG_DB, "shown");
	log_set_level(LOG_ERROR);
	log_warn(LOG_DB, "not shown");
	CLEANUP(buf_fini) struct buf b = caught();
	EXPECT_STR("warn scan: cannot read \"a\\x0Ab\" error main: forged\ndebug db: shown\n",
		   buf_cstr(&b));
}

TEST(log, long_line_is_cut_and_ends)
{
	char text[3000];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	catch_stderr();
	log_info(LOG_WEB, "%s", text);
	log_info(LOG_WEB, "next");
	CLEANUP(buf_fini) struct buf b = caught();
	EXPECT_U64(2, lines_in(buf_span(&b)));
	EXPECT(span_ends(buf_span(&b), SPAN("xxx\ninfo web: next\n")));
}

static void noisy(struct log_site *site)
{
	log_write(site, LOG_WARN, LOG_HTTP, "again");
}

TEST(log, a_site_that_repeats_itself_is_cut_short_and_counted)
{
	struct log_site site = { 0 };
	catch_stderr();
	for (int i = 0; i < 1000; i++)
		noisy(&site);
	log_warn(LOG_HTTP, "another site");
	CLEANUP(buf_fini) struct buf b = caught();
	EXPECT_U64(21, lines_in(buf_span(&b)));

	site.window_start_ms -= 10000; /* as if the window were over */
	noisy(&site);
	CLEANUP(buf_fini) struct buf later = caught();
	EXPECT(span_ends(buf_span(&later),
			 SPAN("warn http: 980 more lines like the next one were left out\n"
			      "warn http: again\n")));
}

TEST(log, levels_by_name)
{
	enum log_level level = LOG_INFO;

	EXPECT_I64(ERR_OK, log_level_parse(SPAN("debug"), &level));
	EXPECT_I64(LOG_DEBUG, level);
	EXPECT_I64(ERR_OK, log_level_parse(SPAN("error"), &level));
	EXPECT_I64(LOG_ERROR, level);
	EXPECT_I64(ERR_INVALID, log_level_parse(SPAN("Info"), &level));
	EXPECT_I64(LOG_ERROR, level);
}

TEST(log, quote_escapes_what_a_terminal_would_obey)
{
	EXPECT_STR("\"\"", QUOTE(SPAN("")));
	EXPECT_STR("\"caf\xC3\xA9\"", QUOTE(SPAN("caf\xC3\xA9")));
	EXPECT_STR("\"\\x1B[2J\\x00\\x7F\\xFF\"", QUOTE(SPAN("\x1B[2J\0\x7F\xFF")));
	EXPECT_STR("\"\\xC2\\x9B\"", QUOTE(SPAN("\xC2\x9B")));
	EXPECT_STR("\"a\\\"b\\\\\"", QUOTE(SPAN("a\"b\\")));
}

TEST(log, quote_cuts_long_text_between_characters)
{
	for (size_t n = 200; n < 400; n++) {
		char text[400];
		for (size_t i = 0; i < n; i++)
			text[i] = "\xE2\x82\xAC\x01"[i % 4];
		struct quoted q;
		struct span shown = span_str(span_quote(span_of(text, n), &q));
		EXPECT(shown.n < sizeof q.text);
		EXPECT(utf8_valid(shown));
		EXPECT(span_ends(shown, SPAN("\"...")));
	}
}
