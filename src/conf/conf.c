/* SPDX-License-Identifier: MIT */
/* From file, environment and command line to one const struct conf, driven by the table of keys. */
#include "conf/conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/num.h"
#include "conf/conf_keys.h"
#include "conf/toml_shim.h"

#define CONF_MEMORY_MAX_BYTES (4u << 20) /* of all strings together */

/* Where a value came from, for messages: "salver.toml:3:8" or "SALVER_NETWORK_PORT". */
struct loader {
	struct conf *conf;
	struct arena *arena;
	const char *path;
	char place[512];
	struct err_info *info;
};

static void *field_of(struct conf *conf, const struct conf_key *key)
{
	return (char *)conf + key->offset;
}

static enum err bad_value(struct loader *ld, const struct conf_key *key, const char *expected,
			  const char *found)
{
	return err_set(ld->info, ERR_INVALID, 0, "%s: %s: expected %s, found %s", ld->place,
		       key->name, expected, found);
}

static enum err set_number(struct loader *ld, const struct conf_key *key, long long value)
{
	char expected[96], found[32];

	if (value < (long long)key->min || value > (long long)key->max) {
		snprintf(expected, sizeof expected, "a whole number from %u to %u%s%s", key->min,
			 key->max, *key->unit ? " " : "", key->unit);
		snprintf(found, sizeof found, "%lld", value);
		return bad_value(ld, key, expected, found);
	}
	if (key->type == CONF_PORT)
		*(uint16_t *)field_of(ld->conf, key) = (uint16_t)value;
	else
		*(uint32_t *)field_of(ld->conf, key) = (uint32_t)value;
	return ERR_OK;
}

static enum err set_string(struct loader *ld, const struct conf_key *key, const char *value)
{
	if (key->type == CONF_LOG_LEVEL) {
		if (log_level_parse(span_str(value), field_of(ld->conf, key)) != ERR_OK)
			return bad_value(ld, key, "\"error\", \"warn\", \"info\" or \"debug\"",
					 QUOTE(span_str(value)));
		return ERR_OK;
	}
	if (key->type == CONF_ENCODING) {
		if (text_encoding_parse(span_str(value), field_of(ld->conf, key)) != ERR_OK)
			return bad_value(ld, key, text_encoding_names, QUOTE(span_str(value)));
		return ERR_OK;
	}
	if (strlen(value) > key->max) {
		char expected[64];

		snprintf(expected, sizeof expected, "at most %u bytes", key->max);
		return bad_value(ld, key, expected, "a longer text");
	}
	struct span copy = arena_dup(ld->arena, span_str(value));
	if (!copy.p)
		return ERR_NOMEM;
	*(const char **)field_of(ld->conf, key) = copy.p;
	return ERR_OK;
}

static enum err set_list(struct loader *ld, const struct conf_key *key, const char *const *items,
			 size_t n)
{
	struct conf_list list = { .n = n };

	if (n > key->max) {
		char expected[64];

		snprintf(expected, sizeof expected, "at most %u items", key->max);
		return bad_value(ld, key, expected, "a longer list");
	}
	list.items = arena_alloc(ld->arena, (n + 1) * sizeof *list.items);
	if (!list.items)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		list.items[i] = arena_dup(ld->arena, span_str(items[i])).p;
		if (!list.items[i])
			return ERR_NOMEM;
	}
	*(struct conf_list *)field_of(ld->conf, key) = list;
	return ERR_OK;
}

static enum err set_from_item(struct loader *ld, const struct conf_key *key,
			      const struct toml_item *item)
{
	switch (key->type) {
	case CONF_STRING:
	case CONF_LOG_LEVEL:
	case CONF_ENCODING:
		if (item->type == TOML_STRING)
			return set_string(ld, key, item->string);
		return bad_value(ld, key, "a string in quotes", item->type_name);
	case CONF_PORT:
	case CONF_NUMBER:
		if (item->type == TOML_INTEGER)
			return set_number(ld, key, item->integer);
		return bad_value(ld, key, "a whole number", item->type_name);
	case CONF_BOOL:
		if (item->type != TOML_BOOLEAN)
			return bad_value(ld, key, "true or false", item->type_name);
		*(bool *)field_of(ld->conf, key) = item->boolean;
		return ERR_OK;
	case CONF_LIST:
		if (item->type == TOML_STRING_LIST)
			return set_list(ld, key, item->list, item->list_n);
		return bad_value(ld, key, "a list of strings, such as [\"a\", \"b\"]",
				 item->type_name);
	}
	return ERR_INVALID;
}

/* One key of a TOML text. An unknown one is a warning: a file may be newer than the program. */
static enum err take_item(void *ctx, const struct toml_item *item)
{
	struct loader *ld = ctx;
	const struct conf_key *key = conf_key_find(item->key);

	snprintf(ld->place, sizeof ld->place, "%s:%u:%u", ld->path, item->line, item->column);
	if (!key) {
		const struct conf_key *nearest = conf_key_nearest(item->key);

		log_warn(LOG_CONF, "%s: unknown key %s is ignored%s%s%s", ld->place,
			 QUOTE(span_str(item->key)), nearest ? "; did you mean \"" : "",
			 nearest ? nearest->name : "", nearest ? "\"?" : "");
		return ERR_OK;
	}
	return set_from_item(ld, key, item);
}

static enum err set_defaults(struct loader *ld)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < conf_keys_n && e == ERR_OK; i++) {
		char text[256];
		const struct conf_key *key = &conf_keys[i];
		const char *dot = strchr(key->name, '.');
		int n = snprintf(text, sizeof text, "[%.*s]\n%s = %s\n", (int)(dot - key->name),
				 key->name, dot + 1, key->initial);

		ASSERT(n > 0 && (size_t)n < sizeof text);
		ld->path = "(default)";
		e = toml_walk(ld->path, text, (size_t)n, take_item, ld, ld->info);
	}
	return e;
}

static enum err load_file(struct loader *ld, const char *path)
{
	struct buf text;
	enum err e = fd_read_file(AT_FDCWD, path, TOML_FILE_MAX_BYTES, &text);

	if (e == ERR_LIMIT)
		return err_set(ld->info, e, 0, "%s: larger than 1 MiB: not a configuration", path);
	if (e != ERR_OK)
		return err_set(ld->info, e, errno, "cannot read the configuration %s: %s", path,
			       strerror(errno));
	ld->path = path;
	e = toml_walk(path, text.p ? text.p : "", text.n, take_item, ld, ld->info);
	buf_fini(&text);
	return e;
}

/* The file named on the command line must be there; the two usual places may be empty. */
static enum err load_files(struct loader *ld, const char *given)
{
	char home_path[4096];
	const char *home = getenv("HOME"), *config_home = getenv("XDG_CONFIG_HOME");

	if (given)
		return load_file(ld, given);
	if (config_home && *config_home)
		snprintf(home_path, sizeof home_path, "%s/salver/salver.toml", config_home);
	else
		snprintf(home_path, sizeof home_path, "%s/.config/salver/salver.toml",
			 home ? home : "");
	if (access(home_path, F_OK) == 0)
		return load_file(ld, home_path);
	if (access("/etc/salver.toml", F_OK) == 0)
		return load_file(ld, "/etc/salver.toml");
	return ERR_OK;
}

/* SALVER_NETWORK_PORT for network.port. Lists are separated by colons, as in PATH. */
static void environment_name(const struct conf_key *key, char out[64])
{
	size_t n = (size_t)snprintf(out, 64, "SALVER_%s", key->name);

	ASSERT(n < 64);
	for (char *p = out; *p; p++)
		*p = *p == '.' ? '_' : (char)toupper((unsigned char)*p);
}

static enum err set_list_from_text(struct loader *ld, const struct conf_key *key, struct span text)
{
	const char *items[CONF_ROOTS_MAX + 1];
	size_t n = 0;

	while (text.n && n < ARRAY_LEN(items)) {
		struct span item = arena_dup(ld->arena, span_cut(&text, ':'));

		if (!item.p)
			return ERR_NOMEM;
		if (item.n)
			items[n++] = item.p;
	}
	return set_list(ld, key, items, n);
}

static enum err set_from_text(struct loader *ld, const struct conf_key *key, const char *text)
{
	struct span s = span_str(text);
	int64_t number;

	switch (key->type) {
	case CONF_STRING:
	case CONF_LOG_LEVEL:
	case CONF_ENCODING:
		return set_string(ld, key, text);
	case CONF_PORT:
	case CONF_NUMBER:
		if (num_parse_i64(s, INT32_MIN, UINT32_MAX, &number) != ERR_OK)
			return bad_value(ld, key, "a whole number", QUOTE(s));
		return set_number(ld, key, number);
	case CONF_BOOL:
		if (!span_eq(s, SPAN("true")) && !span_eq(s, SPAN("false")))
			return bad_value(ld, key, "true or false", QUOTE(s));
		*(bool *)field_of(ld->conf, key) = span_eq(s, SPAN("true"));
		return ERR_OK;
	case CONF_LIST:
		return set_list_from_text(ld, key, s);
	}
	return ERR_INVALID;
}

static enum err load_environment(struct loader *ld)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < conf_keys_n && e == ERR_OK; i++) {
		char name[64];
		const char *value;

		environment_name(&conf_keys[i], name);
		value = getenv(name);
		if (!value)
			continue;
		snprintf(ld->place, sizeof ld->place, "environment variable %s", name);
		e = set_from_text(ld, &conf_keys[i], value);
	}
	return e;
}

static enum err set_given(struct loader *ld, const char *key, const char *value)
{
	return value ? set_string(ld, conf_key_find(key), value) : ERR_OK;
}

static enum err load_overrides(struct loader *ld, const struct conf_overrides *o)
{
	enum err e;

	snprintf(ld->place, sizeof ld->place, "command line");
	e = set_given(ld, "database.directory", o->database_dir);
	if (e == ERR_OK)
		e = set_given(ld, "server.name", o->name);
	if (e == ERR_OK && o->port >= 0)
		e = set_number(ld, conf_key_find("network.port"), o->port);
	if (e == ERR_OK && o->interfaces.n)
		e = set_list(ld, conf_key_find("network.interfaces"), o->interfaces.items,
			     o->interfaces.n);
	if (e == ERR_OK && o->roots.n)
		e = set_list(ld, conf_key_find("media.roots"), o->roots.items, o->roots.n);
	return e;
}

/* Empty settings that mean "work it out". */
static enum err resolve(struct loader *ld)
{
	char text[4096], host[64] = "this machine";
	const char *state = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	enum err e = ERR_OK;

	if (!*ld->conf->name) {
		gethostname(host, sizeof host - 1);
		snprintf(text, sizeof text, "salver on %.50s", host);
		e = set_given(ld, "server.name", text);
	}
	if (e != ERR_OK || *ld->conf->database_dir)
		return e;
	if (state && *state)
		snprintf(text, sizeof text, "%.*s", (int)strcspn(state, ":"), state);
	else if (xdg && *xdg)
		snprintf(text, sizeof text, "%s/salver", xdg);
	else if (home && *home)
		snprintf(text, sizeof text, "%s/.local/state/salver", home);
	else
		return err_set(ld->info, ERR_INVALID, 0,
			       "no place for the database: set HOME or give --database DIR");
	return set_given(ld, "database.directory", text);
}

enum err conf_load(const struct conf_overrides *overrides, struct conf **out, struct err_info *info)
{
	struct arena *arena = calloc(1, sizeof *arena);

	if (!arena)
		return ERR_NOMEM;
	arena_init(arena, CONF_MEMORY_MAX_BYTES);
	struct conf *conf = arena_alloc(arena, sizeof *conf);
	if (!conf) {
		free(arena);
		return ERR_NOMEM;
	}
	*conf = (struct conf){ .owned = arena, .overrides = overrides };

	struct loader ld = { .conf = conf, .arena = arena, .info = info };
	enum err e = set_defaults(&ld);
	if (e == ERR_OK)
		e = load_files(&ld, overrides->config_file);
	if (e == ERR_OK)
		e = load_environment(&ld);
	if (e == ERR_OK)
		e = load_overrides(&ld, overrides);
	if (e == ERR_OK)
		e = resolve(&ld);
	if (e != ERR_OK) {
		if (e == ERR_NOMEM)
			(void)err_set(info, e, 0, "the configuration does not fit into memory");
		conf_free(conf);
		return e;
	}
	*out = conf;
	return ERR_OK;
}

enum err conf_reload(const struct conf *c, struct conf **out, struct err_info *info)
{
	return conf_load(c->overrides, out, info);
}

static void free_path(char **path)
{
	free(*path);
}

static enum err resolve_root(struct conf *c, const char **root, struct err_info *info)
{
	struct span given = span_str(*root);
	CLEANUP(free_path) char *real = realpath(*root, NULL);
	struct stat st;

	if (!real || stat(real, &st) < 0)
		return err_set(info, err_from_errno(errno), errno, "cannot serve %s: %s",
			       QUOTE(given), strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(info, ERR_INVALID, 0, "cannot serve %s: it is not a directory",
			       QUOTE(given));
	if (access(real, R_OK | X_OK) < 0)
		return err_set(info, ERR_ACCESS, errno,
			       "cannot read %s: %s; give this user the right to read it, or run "
			       "salver as one that has it",
			       QUOTE(given), strerror(errno));
	*root = arena_dup(c->owned, span_str(real)).p;
	return *root ? ERR_OK : ERR_NOMEM;
}

enum err conf_resolve_roots(struct conf *c, struct err_info *info)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < c->roots.n && e == ERR_OK; i++)
		e = resolve_root(c, &c->roots.items[i], info);
	return e;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	struct arena *arena = c->owned; /* c itself lives in it */

	arena_fini(arena);
	free(arena);
}
