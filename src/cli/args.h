/* SPDX-License-Identifier: MIT */
/* The command line: sub-commands and options. Pure: prints nothing, opens nothing. */
#pragma once

#include "conf/conf.h"
#include "import/import.h"

enum command {
	COMMAND_SERVE,
	COMMAND_SCAN,
	COMMAND_CHECK,
	COMMAND_STATS,
	COMMAND_BACKUP,
	COMMAND_RESTORE,
	COMMAND_REPAIR,
	COMMAND_COMPACT,
	COMMAND_CLEANUP,
	COMMAND_PLAYLISTS,
	COMMAND_EXPORT,
	COMMAND_IMPORT,
	COMMAND_DUMP_CONFIG,
	COMMAND_HELP,
	COMMAND_VERSION
};

struct args {
	enum command command;
	struct conf_overrides overrides;
	const char *directory; /* of backup and restore */
	bool force;	       /* of restore */
	/* of scan */
	bool report, json, retry;
	const char *playlist, *export_file; /* of export; file NULL: standard output */
	/* of import */
	const char *import_file;
	enum import_format import_format;
	bool dry_run;
	/* what the lists in overrides point to */
	const char *interfaces[CONF_INTERFACES_MAX];
	const char *roots[CONF_ROOTS_MAX];
};

/** `salver DIR` is `salver serve DIR`. ERR_INVALID: info says what is wrong and how it is meant.
 * Lifetime: *out borrows from argv and must not be copied or moved. */
NODISCARD enum err args_parse(int argc, char *const argv[], struct args *out,
			      struct err_info *info);

/** The text of `salver --help`. */
const char *args_help(void);
