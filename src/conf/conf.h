/* SPDX-License-Identifier: MIT */
/* Configuration: one table of keys (conf_keys.c) makes the parser, the defaults, the checks, the
 * dump and config/salver.toml. The result is const. */
#pragma once

#include "base/err.h"
#include "base/log.h"
#include "base/text_encoding.h"

#define CONF_ROOTS_MAX 256
#define CONF_INTERFACES_MAX 16
#define CONF_PATTERNS_MAX 256

struct conf_list {
	const char **items;
	size_t n;
};

struct conf_overrides;

struct conf {
	/* [server] */
	const char *name; /* friendlyName */
	/* [network] */
	uint16_t port;
	struct conf_list interfaces;
	struct conf_list host_names;
	/* [media] */
	struct conf_list roots;
	/* [database] */
	const char *database_dir; /* resolved: never empty */
	uint32_t memory_mib;
	/* [scanner] */
	struct conf_list exclude, include;
	uint32_t probe_workers; /* 0: one per CPU */
	bool watch;
	uint32_t poll_s, rescan_h, grace_days; /* the last two: 0 never */
	enum text_encoding tag_encoding;
	/* [web] */
	uint32_t thumbnail_cache_mib; /* 0: none on disk */
	/* [logging] */
	enum log_level log_level;

	void *owned; /* what the strings live in */
	const struct conf_overrides *overrides;
};

/** What the command line says; NULL / 0 / empty: not said. It goes before environment and file. */
struct conf_overrides {
	const char *config_file; /* must exist where it is given */
	const char *database_dir;
	const char *name;
	int32_t port; /* -1: not said */
	struct conf_list interfaces;
	struct conf_list roots;
};

/** Defaults, then the file (given, else /etc/salver.toml or ~/.config/salver/salver.toml where
 * there is one), then SALVER_* variables, then the command line. Unknown keys are warnings.
 * ERR_INVALID: info says file:line:column, what was expected and what was found. */
NODISCARD enum err conf_load(const struct conf_overrides *overrides, struct conf **out,
			     struct err_info *info);
/** The same again, as file and environment are now; `overrides` of conf_load() must live still. */
NODISCARD enum err conf_reload(const struct conf *c, struct conf **out, struct err_info *info);
void conf_free(struct conf *c); /* NULL is fine */
/** Roots become absolute, with symbolic links resolved; each must be a directory that we may read.
 * ERR_NOTFOUND, ERR_INVALID, ERR_ACCESS: info says which and why. */
NODISCARD enum err conf_resolve_roots(struct conf *c, struct err_info *info);
struct buf;
/** The whole configuration as TOML with comments: what `--dump-config` prints. NULL: the defaults,
 * which is what config/salver.toml holds (a test compares). */
void conf_dump(const struct conf *c, struct buf *out);
