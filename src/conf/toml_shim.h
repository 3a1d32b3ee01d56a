/* SPDX-License-Identifier: MIT */
/* toml++ behind a C face: a TOML file as a flat sequence of keys with their places. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TOML_FILE_MAX_BYTES (1u << 20)

enum toml_type {
	TOML_STRING,
	TOML_INTEGER,
	TOML_BOOLEAN,
	TOML_STRING_LIST, /* every element a string; an empty array is one too */
	TOML_OTHER	  /* a type that no key of ours has */
};

struct toml_item {
	const char *key; /* dotted: "network.port" */
	enum toml_type type;
	const char *type_name; /* for messages: "a float" */
	unsigned line, column; /* of the value */
	const char *string;
	long long integer;
	bool boolean;
	const char *const *list;
	size_t list_n;
};

/** Parse `text` and call `item` for each value, in the order of the file; a call that does not
 * return ERR_OK ends the walk with that error. Everything in an item ends with its call.
 * Errors: ERR_INVALID (syntax; info says path:line:column: what), ERR_NOMEM. */
NODISCARD enum err toml_walk(const char *path, const char *text, size_t text_n,
			     enum err (*item)(void *ctx, const struct toml_item *item), void *ctx,
			     struct err_info *info);

#ifdef __cplusplus
}
#endif
