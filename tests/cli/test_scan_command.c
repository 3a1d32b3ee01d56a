/* SPDX-License-Identifier: MIT */
/* The exit status of `salver scan`: cron must notice that something was not stored. */
#include <stdlib.h>

#include "cli/args.h"
#include "cli/commands_priv.h"
#include "conf/conf.h"
#include "harness.h"
#include "library/library.h"

static void sh(const char *command)
{
	char text[1024];
	snprintf(text, sizeof text, "cd '%s' && %s", test_tmpdir(), command);
	EXPECT(system(text) == 0);
}

/* As `salver scan --database DIR/db DIR/media`, with indexes that are not read at opening. */
static int scan(void)
{
	char database[300], root[300];
	snprintf(database, sizeof database, "%s/db", test_tmpdir());
	snprintf(root, sizeof root, "%s/media", test_tmpdir());
	const char *roots[] = { root };
	struct conf_overrides overrides = {
		.config_file = "/dev/null",
		.database_dir = database,
		.port = -1,
		.roots = { .items = roots, .n = 1 },
	};
	struct conf *conf = NULL;
	struct err_info info = { 0 };
	if (conf_load(&overrides, &conf, &info) != ERR_OK)
		printf("%s\n", info.text);
	EXPECT(conf != NULL);
	struct library_options options = { .database_dir = database, .check_at_open_bytes = 1 };
	int status = command_scan_as(conf, &(struct args){ .command = COMMAND_SCAN }, &options);
	conf_free(conf);
	return status;
}

TEST(command_scan, a_rotten_index_is_exit_status_1_once_and_then_mended)
{
	sh("mkdir media && printf x > media/a.mp3");
	EXPECT_I64(EXIT_SUCCESS, scan());
	sh("for f in db/index-*.run; do printf xxxxxxxx | "
	   "dd of=$f bs=1 seek=1180 conv=notrunc status=none; done");
	sh("printf y > media/b.mp3");
	EXPECT_I64(EXIT_FAILURE, scan());
	EXPECT_I64(EXIT_SUCCESS, scan());
}
