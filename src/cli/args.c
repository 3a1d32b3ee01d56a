/* SPDX-License-Identifier: MIT */
/* One table of options; a word that is no option is a sub-command (first) or a directory. */
#include "cli/args.h"

#include <string.h>

#include "base/num.h"

static const struct {
	const char *name;
	enum command command;
} commands[] = {
	{ "serve", COMMAND_SERVE },	    { "scan", COMMAND_SCAN },
	{ "check", COMMAND_CHECK },	    { "stats", COMMAND_STATS },
	{ "import", COMMAND_IMPORT },	    { "backup", COMMAND_BACKUP },
	{ "restore", COMMAND_RESTORE },	    { "repair", COMMAND_REPAIR },
	{ "compact", COMMAND_COMPACT },	    { "cleanup", COMMAND_CLEANUP },
	{ "playlists", COMMAND_PLAYLISTS }, { "export", COMMAND_EXPORT },
};

const char *args_help(void)
{
	return "salver: a DLNA media server for your music, films and pictures\n"
	       "\n"
	       "  salver [serve] [OPTION]... [DIR]...   serve these directories, in the "
	       "foreground\n"
	       "  salver scan [OPTION]... [DIR]...      bring the library up to date, then end\n"
	       "  salver check [OPTION]...              verify everything that is stored\n"
	       "  salver stats [OPTION]...              print figures as JSON\n"
	       "  salver backup [OPTION]... DIR         copy the library into a new directory, "
	       "also\n"
	       "                                        while a server runs\n"
	       "  salver restore [OPTION]... DIR        put such a copy in place\n"
	       "  salver compact [OPTION]...            give back what old records still take on "
	       "the disk\n"
	       "  salver cleanup [OPTION]... DIR...     forget files that are not there any more, "
	       "also\n"
	       "                                        where a whole disk has gone, which a scan "
	       "keeps\n"
	       "  salver playlists [OPTION]...          list the playlists with their numbers\n"
	       "  salver export [OPTION]... N [FILE]    write playlist N as M3U8, with paths "
	       "relative\n"
	       "                                        to the file\n"
	       "  salver repair [OPTION]...             save what can be read of a damaged "
	       "library\n"
	       "  salver import [OPTION]... FILE [DIR]...\n"
	       "                                        bring in the library of MiniDLNA "
	       "(files.db)\n"
	       "                                        or VuIO (media.db)\n"
	       "\n"
	       "  --config FILE      settings (TOML); else ~/.config/salver/salver.toml or\n"
	       "                     /etc/salver.toml where there is one\n"
	       "  --database DIR     where the library is kept\n"
	       "  --interface NAME   serve and announce on this interface only (repeatable)\n"
	       "  --port N           the HTTP port (8250; 0: any free one)\n"
	       "  --name S           the name that TVs show\n"
	       "  --as KIND          import: what FILE is, minidlna or vuio; else it shows by "
	       "itself\n"
	       "  --dry-run          import: say what would come, store nothing\n"
	       "  --force            restore: replace the library that is there\n"
	       "  --report           scan: then list what is not served, or by its name only, and "
	       "why;\n"
	       "                     beside a running server: list it at once\n"
	       "  --json             scan --report: as JSON\n"
	       "  --retry            scan: examine again what could not be examined before\n"
	       "  --dump-config      print the settings in force, with comments, as TOML\n"
	       "  --help, --version\n"
	       "\n"
	       "Options go before the settings in SALVER_* variables, and these before the file.\n"
	       "Exit status: 0 done, 1 failed or damage found, 2 wrong usage or configuration.\n";
}

static enum err add_item(struct conf_list *list, const char **items, size_t max, const char *value,
			 const char *what, struct err_info *info)
{
	if (list->n == max)
		return err_set(info, ERR_INVALID, 0, "more than %zu %s", max, what);
	items[list->n++] = value;
	list->items = items;
	return ERR_OK;
}

static enum err parse_port(const char *value, int32_t *out, struct err_info *info)
{
	uint64_t port;

	if (num_parse_u64(span_str(value), 0, 65535, &port) != ERR_OK)
		return err_set(info, ERR_INVALID, 0,
			       "--port: expected a number from 0 to 65535, found %s",
			       QUOTE(span_str(value)));
	*out = (int32_t)port;
	return ERR_OK;
}

static enum err parse_format(const char *value, enum import_format *out, struct err_info *info)
{
	if (strcmp(value, "minidlna") == 0)
		*out = IMPORT_MINIDLNA;
	else if (strcmp(value, "vuio") == 0)
		*out = IMPORT_VUIO;
	else
		return err_set(info, ERR_INVALID, 0, "--as: expected minidlna or vuio, found %s",
			       QUOTE(span_str(value)));
	return ERR_OK;
}

/* An option that takes a value. ERR_NOTFOUND: there is no such option. */
static enum err take_value_option(struct args *a, const char *name, const char *value,
				  struct err_info *info)
{
	struct conf_overrides *o = &a->overrides;

	if (strcmp(name, "--interface") == 0)
		return add_item(&o->interfaces, a->interfaces, ARRAY_LEN(a->interfaces), value,
				"interfaces", info);
	if (strcmp(name, "--port") == 0)
		return parse_port(value, &o->port, info);
	if (strcmp(name, "--config") == 0)
		o->config_file = value;
	else if (strcmp(name, "--database") == 0)
		o->database_dir = value;
	else if (strcmp(name, "--name") == 0)
		o->name = value;
	else if (strcmp(name, "--as") == 0)
		return parse_format(value, &a->import_format, info);
	else
		return ERR_NOTFOUND;
	return ERR_OK;
}

static bool takes_value(const char *name)
{
	static const char *const names[] = { "--interface", "--port", "--config",
					     "--database",  "--name", "--as" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool take_plain_option(struct args *a, const char *name)
{
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		a->command = COMMAND_HELP;
	else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		a->command = COMMAND_VERSION;
	else if (strcmp(name, "--dump-config") == 0)
		a->command = COMMAND_DUMP_CONFIG;
	else if (strcmp(name, "--dry-run") == 0)
		a->dry_run = true;
	else if (strcmp(name, "--force") == 0)
		a->force = true;
	else if (strcmp(name, "--report") == 0)
		a->report = true;
	else if (strcmp(name, "--json") == 0)
		a->json = true;
	else if (strcmp(name, "--retry") == 0)
		a->retry = true;
	else
		return false;
	return true;
}

/* argv[*at] starts with "--" or "-": the option, and its value behind '=' or in the next word. */
static enum err take_option(struct args *a, int argc, char *const argv[], int *at,
			    struct err_info *info)
{
	const char *word = argv[*at], *equals = strchr(word, '=');
	char name[32];
	size_t n = equals ? (size_t)(equals - word) : strlen(word);

	if (n < sizeof name) {
		memcpy(name, word, n);
		name[n] = '\0';
		if (!equals && take_plain_option(a, name))
			return ERR_OK;
		if (takes_value(name)) {
			const char *value = equals ? equals + 1 : NULL;

			if (!value && *at + 1 < argc)
				value = argv[++*at];
			if (!value)
				return err_set(info, ERR_INVALID, 0, "%s needs a value", name);
			return take_value_option(a, name, value, info);
		}
	}
	return err_set(info, ERR_INVALID, 0, "unknown option %s; see salver --help",
		       QUOTE(span_str(word)));
}

static int take_command(struct args *a, int argc, char *const argv[])
{
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0) {
			a->command = commands[i].command;
			return 2;
		}
	return 1;
}

static bool takes_directory(const struct args *a)
{
	return a->command == COMMAND_BACKUP || a->command == COMMAND_RESTORE;
}

/* A word that is no option: a directory, but first what is to be imported. */
static enum err take_word(struct args *a, const char *word, struct err_info *info)
{
	if (a->command == COMMAND_IMPORT && !a->import_file) {
		a->import_file = word;
		return ERR_OK;
	}
	if (takes_directory(a) && !a->directory) {
		a->directory = word;
		return ERR_OK;
	}
	if (a->command == COMMAND_EXPORT && (!a->playlist || !a->export_file)) {
		*(a->playlist ? &a->export_file : &a->playlist) = word;
		return ERR_OK;
	}
	if (a->command == COMMAND_EXPORT)
		return err_set(info, ERR_INVALID, 0,
			       "unexpected %s: export takes a playlist and a file",
			       QUOTE(span_str(word)));
	if (takes_directory(a) || a->command == COMMAND_PLAYLISTS || a->command == COMMAND_REPAIR ||
	    a->command == COMMAND_COMPACT)
		return err_set(info, ERR_INVALID, 0,
			       "unexpected %s: the library itself is named by --database",
			       QUOTE(span_str(word)));
	return add_item(&a->overrides.roots, a->roots, ARRAY_LEN(a->roots), word, "directories",
			info);
}

/* Do options and command go together? */
static enum err check_command(const struct args *a, struct err_info *info)
{
	bool import = a->command == COMMAND_IMPORT;

	if (import && !a->import_file)
		return err_set(info, ERR_INVALID, 0,
			       "import needs a file: MiniDLNA's files.db or VuIO's media.db");
	if (a->command < COMMAND_DUMP_CONFIG && !import &&
	    (a->dry_run || a->import_format != IMPORT_ANY))
		return err_set(info, ERR_INVALID, 0, "%s goes with salver import only",
			       a->dry_run ? "--dry-run" : "--as");
	if (takes_directory(a) && !a->directory)
		return err_set(info, ERR_INVALID, 0, "%s needs a directory: that of the backup",
			       a->command == COMMAND_BACKUP ? "backup" : "restore");
	if (a->command == COMMAND_CLEANUP && a->overrides.roots.n == 0)
		return err_set(info, ERR_INVALID, 0,
			       "cleanup needs directories: those whose files are to be forgotten "
			       "where they are not there");
	if (a->command == COMMAND_EXPORT && !a->playlist)
		return err_set(
			info, ERR_INVALID, 0,
			"export needs the number of a playlist; salver playlists lists them");
	if (a->force && a->command != COMMAND_RESTORE)
		return err_set(info, ERR_INVALID, 0, "--force goes with salver restore only");
	if ((a->report || a->retry) && a->command != COMMAND_SCAN)
		return err_set(info, ERR_INVALID, 0, "%s goes with salver scan only",
			       a->report ? "--report" : "--retry");
	if (a->json && !a->report)
		return err_set(info, ERR_INVALID, 0, "--json goes with salver scan --report only");
	return ERR_OK;
}

enum err args_parse(int argc, char *const argv[], struct args *out, struct err_info *info)
{
	bool only_dirs = false; /* after "--" */
	enum err e = ERR_OK;

	memset(out, 0, sizeof *out);
	out->overrides.port = -1;
	for (int i = take_command(out, argc, argv); i < argc && e == ERR_OK; i++) {
		if (!only_dirs && strcmp(argv[i], "--") == 0)
			only_dirs = true;
		else if (!only_dirs && argv[i][0] == '-')
			e = take_option(out, argc, argv, &i, info);
		else
			e = take_word(out, argv[i], info);
	}
	return e == ERR_OK ? check_command(out, info) : e;
}
