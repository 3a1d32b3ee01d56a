/* SPDX-License-Identifier: MIT */
/* Tests src/conf: files, environment and command line to one struct conf. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "conf/conf.h"
#include "harness.h"

struct fixture {
	struct conf_overrides overrides;
	struct conf *conf;
	struct err_info info;
	char path[512];
};

static void fixture_fini(struct fixture *fx)
{
	conf_free(fx->conf);
}

/* A home of its own, so that nothing of this machine is read. */
static struct fixture fixture_new(const char *toml)
{
	struct fixture fx = { .overrides = { .port = -1 } };

	setenv("HOME", test_tmpdir(), 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
	unsetenv("STATE_DIRECTORY");
	if (!toml)
		return fx;
	snprintf(fx.path, sizeof fx.path, "%s/salver.toml", test_tmpdir());
	FILE *f = fopen(fx.path, "w");
	EXPECT(f != NULL);
	fputs(toml, f);
	fclose(f);
	return fx;
}

static enum err load(struct fixture *fx)
{
	if (fx->path[0])
		fx->overrides.config_file = fx->path;
	return conf_load(&fx->overrides, &fx->conf, &fx->info);
}

static void expect_invalid(const char *toml, const char *place, const char *expected)
{
	CLEANUP(fixture_fini) struct fixture fx = fixture_new(toml);

	EXPECT_ERR(ERR_INVALID, load(&fx));
	if (!strstr(fx.info.text, place) || !strstr(fx.info.text, expected))
		printf("message: %s\n", fx.info.text);
	EXPECT(strstr(fx.info.text, place) != NULL);
	EXPECT(strstr(fx.info.text, expected) != NULL);
}

TEST(conf, without_any_file_there_are_sane_defaults)
{
	CLEANUP(fixture_fini) struct fixture fx = fixture_new(NULL);
	char database[512];

	EXPECT_OK(load(&fx));
	EXPECT_U64(8250, fx.conf->port);
	EXPECT_U64(0, fx.conf->roots.n);
	EXPECT(fx.conf->watch);
	EXPECT_U64(TEXT_AUTO, fx.conf->tag_encoding);
	EXPECT_U64(LOG_INFO, fx.conf->log_level);
	EXPECT(span_starts(span_str(fx.conf->name), SPAN("salver on ")));
	snprintf(database, sizeof database, "%s/.local/state/salver", test_tmpdir());
	EXPECT_STR(database, fx.conf->database_dir);
}

TEST(conf, a_file_sets_every_type)
{
	CLEANUP(fixture_fini)
	struct fixture fx = fixture_new("[server]\nname = \"Caf\u00e9\"\n"
					"[network]\nport = 0\ninterfaces = [\"lo\", \"eth0\"]\n"
					"[media]\nroots = [\"/a\", \"/b c\"]\n"
					"[scanner]\nwatch = false\nworkers = 3\n"
					"tag_encoding = \"GBK\"\n"
					"[logging]\nlevel = \"debug\"\n");

	EXPECT_OK(load(&fx));
	EXPECT_STR("Caf\u00e9", fx.conf->name);
	EXPECT_U64(0, fx.conf->port);
	EXPECT_U64(2, fx.conf->interfaces.n);
	EXPECT_STR("eth0", fx.conf->interfaces.items[1]);
	EXPECT_STR("/b c", fx.conf->roots.items[1]);
	EXPECT(!fx.conf->watch);
	EXPECT_U64(TEXT_GBK, fx.conf->tag_encoding);
	EXPECT_U64(3, fx.conf->probe_workers);
	EXPECT_U64(LOG_DEBUG, fx.conf->log_level);
}

TEST(conf, command_line_beats_environment_beats_file)
{
	CLEANUP(fixture_fini)
	struct fixture fx = fixture_new("[server]\nname = \"file\"\n[network]\nport = 1\n"
					"[media]\nroots = [\"/file\"]\n");

	setenv("SALVER_NETWORK_PORT", "2", 1);
	setenv("SALVER_SERVER_NAME", "environment", 1);
	setenv("SALVER_MEDIA_ROOTS", "/one:/two", 1);
	fx.overrides.port = 3;
	EXPECT_OK(load(&fx));
	EXPECT_U64(3, fx.conf->port);
	EXPECT_STR("environment", fx.conf->name);
	EXPECT_U64(2, fx.conf->roots.n);
	EXPECT_STR("/two", fx.conf->roots.items[1]);
}

TEST(conf, mistakes_name_file_line_column_and_what_was_expected)
{
	expect_invalid("[network]\nport = \"x\"\n", "salver.toml:2:8", "expected a whole number");
	expect_invalid("[network]\n\nport = 70000\n", "salver.toml:3:8", "from 0 to 65535");
	expect_invalid("[network]\nport = -1\n", "salver.toml:2:8", "found -1");
	expect_invalid("[media]\nroots = \"/a\"\n", "salver.toml:2:9", "a list of strings");
	expect_invalid("[media]\nroots = [1]\n", "salver.toml:2:9", "a list of strings");
	expect_invalid("[scanner]\ntag_encoding = \"klingon\"\n", "salver.toml:2:16",
		       "\"shift-jis\"");
	expect_invalid("[scanner]\nwatch = 1\n", "salver.toml:2:9", "true or false");
	expect_invalid("[logging]\nlevel = \"loud\"\n", "salver.toml:2:9", "\"warn\"");
	expect_invalid("[network\n", "salver.toml:1:", "");
	expect_invalid("a = 1\na = 2\n", "salver.toml:2:", "");
}

TEST(conf, unknown_keys_are_ignored)
{
	CLEANUP(fixture_fini)
	struct fixture fx = fixture_new("[network]\nprot = 9\n[future]\nthing = { a = 1 }\n");

	EXPECT_OK(load(&fx));
	EXPECT_U64(8250, fx.conf->port);
}

TEST(conf, bad_environment_is_named)
{
	CLEANUP(fixture_fini) struct fixture fx = fixture_new(NULL);

	setenv("SALVER_SCANNER_WORKERS", "lots", 1);
	EXPECT_ERR(ERR_INVALID, load(&fx));
	EXPECT(strstr(fx.info.text, "SALVER_SCANNER_WORKERS") != NULL);
}

TEST(conf, a_given_file_must_exist)
{
	CLEANUP(fixture_fini) struct fixture fx = fixture_new(NULL);

	fx.overrides.config_file = "/nonexistent/salver.toml";
	EXPECT(load(&fx) != ERR_OK);
	EXPECT(strstr(fx.info.text, "/nonexistent/salver.toml") != NULL);
}

TEST(conf, roots_become_absolute_or_say_why_not)
{
	EXPECT(chdir(test_tmpdir()) == 0);
	CLEANUP(fixture_fini) struct fixture fx = fixture_new("[media]\nroots = [\".\"]\n");
	EXPECT_OK(load(&fx));
	EXPECT_OK(conf_resolve_roots(fx.conf, &fx.info));
	EXPECT_STR(test_tmpdir(), fx.conf->roots.items[0]);

	CLEANUP(fixture_fini)
	struct fixture missing = fixture_new("[media]\nroots = [\"/nonexistent\"]\n");
	EXPECT_OK(load(&missing));
	EXPECT_ERR(ERR_NOTFOUND, conf_resolve_roots(missing.conf, &missing.info));
	EXPECT(strstr(missing.info.text, "/nonexistent") != NULL);

	CLEANUP(fixture_fini)
	struct fixture file = fixture_new("[media]\nroots = [\"/etc/passwd\"]\n");
	EXPECT_OK(load(&file));
	EXPECT_ERR(ERR_INVALID, conf_resolve_roots(file.conf, &file.info));
	EXPECT(strstr(file.info.text, "not a directory") != NULL);
}

TEST(conf, a_dump_read_back_is_the_same)
{
	CLEANUP(fixture_fini)
	struct fixture fx = fixture_new("[server]\nname = \"a\\\"b\\\\c\"\n[media]\nroots = "
					"[\"/x\", \"/y\"]\n");
	struct buf first, second;

	EXPECT_OK(load(&fx));
	buf_init(&first, 1 << 20);
	conf_dump(fx.conf, &first);

	CLEANUP(fixture_fini) struct fixture again = fixture_new(buf_cstr(&first));
	EXPECT_OK(load(&again));
	EXPECT_STR("a\"b\\c", again.conf->name);
	buf_init(&second, 1 << 20);
	conf_dump(again.conf, &second);
	EXPECT_SPAN(buf_span(&first), buf_span(&second));
	buf_fini(&first);
	buf_fini(&second);
}

TEST(conf, the_example_file_is_the_dump_of_the_defaults)
{
	struct buf want, file;

	buf_init(&want, 1 << 20);
	conf_dump(NULL, &want);
	EXPECT_OK(fd_read_file(AT_FDCWD, SALVER_SOURCE_DIR "/config/salver.toml", 1 << 20, &file));
	EXPECT_SPAN(buf_span(&want), buf_span(&file));
	buf_fini(&want);
	buf_fini(&file);
}
