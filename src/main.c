/* SPDX-License-Identifier: MIT */
/* salver: from arguments to a sub-command. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/version.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "conf/conf.h"

static int run(const struct args *args, struct conf *conf)
{
	switch (args->command) {
	case COMMAND_SERVE:
		return command_serve(conf);
	case COMMAND_SCAN:
		return command_scan(conf, args);
	case COMMAND_CHECK:
		return command_check(conf);
	case COMMAND_STATS:
		return command_stats(conf);
	case COMMAND_BACKUP:
		return command_backup(conf, args);
	case COMMAND_RESTORE:
		return command_restore(conf, args);
	case COMMAND_REPAIR:
		return command_repair(conf);
	case COMMAND_COMPACT:
		return command_compact(conf);
	case COMMAND_CLEANUP:
		return command_cleanup(conf, args);
	case COMMAND_PLAYLISTS:
		return command_playlists(conf);
	case COMMAND_EXPORT:
		return command_export(conf, args);
	case COMMAND_IMPORT:
		return command_import(conf, args);
	case COMMAND_DUMP_CONFIG:
		return command_dump_config(conf);
	case COMMAND_HELP:
	case COMMAND_VERSION:
		break; /* answered in main() */
	}
	return EXIT_USAGE;
}

int main(int argc, char *argv[])
{
	struct args args;
	struct conf *conf = NULL;
	struct err_info info = { 0 };
	enum err e = args_parse(argc, argv, &args, &info);

	if (e == ERR_OK && args.command == COMMAND_HELP)
		return fputs(args_help(), stdout), EXIT_SUCCESS;
	if (e == ERR_OK && args.command == COMMAND_VERSION)
		return puts("salver " SALVER_VERSION), EXIT_SUCCESS;
	if (e == ERR_OK)
		e = conf_load(&args.overrides, &conf, &info);
	if (e != ERR_OK) {
		fprintf(stderr, "salver: %s\n", info.text[0] ? info.text : err_name(e));
		return EXIT_USAGE;
	}
	log_set_level(conf->log_level);

	int status = run(&args, conf);
	conf_free(conf);
	return status;
}
