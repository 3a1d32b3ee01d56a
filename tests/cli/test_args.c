/* SPDX-License-Identifier: MIT */
/* Tests src/cli/args.c. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "harness.h"

#define PARSE(out, info, ...)                                                                      \
	args_parse((int)ARRAY_LEN(((char *[]){ "salver", __VA_ARGS__ })),                          \
		   (char *[]){ "salver", __VA_ARGS__, NULL }, (out), (info))

TEST(args, a_bare_directory_is_served)
{
	struct args a;

	EXPECT_OK(PARSE(&a, NULL, "/music"));
	EXPECT_U64(COMMAND_SERVE, a.command);
	EXPECT_U64(1, a.overrides.roots.n);
	EXPECT_STR("/music", a.overrides.roots.items[0]);
	EXPECT_I64(-1, a.overrides.port);
}

TEST(args, options_and_directories_mix)
{
	struct args a;

	EXPECT_OK(PARSE(&a, NULL, "serve", "--port", "0", "/a", "--interface=lo", "--interface",
			"eth0", "/b", "--name", "x y", "--database=/d", "--", "--odd"));
	EXPECT_I64(0, a.overrides.port);
	EXPECT_U64(3, a.overrides.roots.n);
	EXPECT_STR("--odd", a.overrides.roots.items[2]);
	EXPECT_U64(2, a.overrides.interfaces.n);
	EXPECT_STR("lo", a.overrides.interfaces.items[0]);
	EXPECT_STR("x y", a.overrides.name);
	EXPECT_STR("/d", a.overrides.database_dir);
}

TEST(args, a_command_is_only_the_first_word)
{
	struct args a;

	EXPECT_OK(PARSE(&a, NULL, "serve", "check"));
	EXPECT_U64(COMMAND_SERVE, a.command);
	EXPECT_STR("check", a.overrides.roots.items[0]);
	EXPECT_OK(PARSE(&a, NULL, "check", "--database", "/d"));
	EXPECT_U64(COMMAND_CHECK, a.command);
}

TEST(args, import_takes_a_file_then_directories)
{
	struct args a;
	struct err_info info;

	EXPECT_OK(PARSE(&a, NULL, "import", "--as", "vuio", "media.db", "/a", "--dry-run", "/b"));
	EXPECT_U64(COMMAND_IMPORT, a.command);
	EXPECT_STR("media.db", a.import_file);
	EXPECT_U64(IMPORT_VUIO, a.import_format);
	EXPECT(a.dry_run);
	EXPECT_U64(2, a.overrides.roots.n);
	EXPECT_STR("/a", a.overrides.roots.items[0]);
	EXPECT_OK(PARSE(&a, NULL, "import", "files.db"));
	EXPECT_U64(IMPORT_ANY, a.import_format);
	EXPECT(!a.dry_run);
	EXPECT_U64(0, a.overrides.roots.n);
	EXPECT_ERR(ERR_INVALID, PARSE(&a, &info, "import"));
	EXPECT(strstr(info.text, "needs a file") != NULL);
	EXPECT_ERR(ERR_INVALID, PARSE(&a, &info, "import", "--as", "plex", "x.db"));
	EXPECT(strstr(info.text, "minidlna or vuio") != NULL);
	EXPECT_ERR(ERR_INVALID, PARSE(&a, &info, "scan", "--dry-run", "/a"));
	EXPECT_ERR(ERR_INVALID, PARSE(&a, &info, "--as", "vuio", "/a"));
	EXPECT(strstr(info.text, "salver import") != NULL);
	EXPECT_OK(PARSE(&a, NULL, "import", "--help"));
	EXPECT_U64(COMMAND_HELP, a.command);
}

TEST(args, mistakes_are_explained)
{
	struct args a;
	struct err_info info;

	EXPECT_ERR(ERR_INVALID, PARSE(&a, &info, "--prot", "1"));
	EXPECT(strstr(info.text, "--prot") != NULL);
	EXPECT_ERR(ERR_INVALID, PARSE(&a, &info, "--port"));
	EXPECT(strstr(info.text, "needs a value") != NULL);
	EXPECT_ERR(ERR_INVALID, PARSE(&a, &info, "--port", "65536"));
	EXPECT_ERR(ERR_INVALID, PARSE(&a, &info, "--port", "http"));
	EXPECT_ERR(ERR_INVALID, PARSE(&a, &info, "--help=1"));
	EXPECT_ERR(ERR_INVALID, PARSE(&a, &info, "-x"));
}

TEST(args, too_many_interfaces_are_refused)
{
	char *argv[2 * CONF_INTERFACES_MAX + 4] = { "salver" };
	struct args a;
	int n = 1;

	for (int i = 0; i < CONF_INTERFACES_MAX + 1; i++) {
		argv[n++] = "--interface";
		argv[n++] = "lo";
	}
	EXPECT_ERR(ERR_INVALID, args_parse(n, argv, &a, NULL));
}

TEST(args, export_takes_a_playlist_and_a_file)
{
	struct args a;
	struct err_info info;
	char *one[] = { "salver", "export", "7", NULL };
	char *two[] = { "salver", "export", "7", "--database", "/d", "x.m3u8", NULL };
	char *none[] = { "salver", "export", NULL };
	char *three[] = { "salver", "export", "7", "x", "y", NULL };
	char *list[] = { "salver", "playlists", "x", NULL };

	EXPECT_OK(args_parse(3, one, &a, &info));
	EXPECT_U64(COMMAND_EXPORT, a.command);
	EXPECT_STR("7", a.playlist);
	EXPECT(a.export_file == NULL);
	EXPECT_OK(args_parse(6, two, &a, &info));
	EXPECT_STR("x.m3u8", a.export_file);
	EXPECT_ERR(ERR_INVALID, args_parse(2, none, &a, &info));
	EXPECT_ERR(ERR_INVALID, args_parse(5, three, &a, &info));
	EXPECT_ERR(ERR_INVALID, args_parse(3, list, &a, &info));
}
