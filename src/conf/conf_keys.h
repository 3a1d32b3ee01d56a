/* SPDX-License-Identifier: MIT */
/* The table of keys: everything that is known of a key is in its row. */
#pragma once

#include "conf/conf.h"

enum conf_type {
	CONF_STRING,
	CONF_PORT,   /* uint16_t */
	CONF_NUMBER, /* uint32_t */
	CONF_BOOL,
	CONF_LIST,	/* struct conf_list of strings */
	CONF_LOG_LEVEL, /* enum log_level, by name */
	CONF_ENCODING	/* enum text_encoding, by name */
};

struct conf_key {
	const char *name; /* "network.port" */
	enum conf_type type;
	size_t offset;	     /* of the field in struct conf */
	const char *initial; /* the default, as TOML */
	uint32_t min, max;   /* of numbers; of lists: most items */
	const char *unit;    /* "" or for example "MiB" */
	const char *help;    /* one or more lines, each shown as a comment */
};

extern const struct conf_key conf_keys[];
extern const size_t conf_keys_n;

/** The row with this name, or NULL. */
const struct conf_key *conf_key_find(const char *name);
/** The row whose name looks most like `name`, or NULL where nothing is close. */
const struct conf_key *conf_key_nearest(const char *name);
