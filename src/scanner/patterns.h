/* SPDX-License-Identifier: MIT */
/* Patterns of paths, as people know them from .gitignore. Pure; names are bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

#define PATTERN_MAX_BYTES 1024 /* of one */
#define PATTERNS_MAX 256       /* of one list */

/** `*` is any run of bytes but slashes, `?` one of them, `[a-z]` and `[!a-z]` one of a set, `\`
 * takes the next byte as it is; `**` between slashes is any number of directories. A pattern
 * without a slash is of a name, wherever it is; with one of a path below a root; with one at its
 * beginning of an absolute path. A slash at the end: of directories only. */
struct pattern {
	struct span text; /* without the slash at either end */
	bool of_name, absolute, of_directory;
};

struct patterns { /* zeroed: none */
	struct pattern *items;
	size_t n;
	char *bytes;
};

/** `key` is where they were configured, for messages. ERR_INVALID: info says which is wrong and
 * why; ERR_LIMIT, ERR_NOMEM. */
NODISCARD enum err patterns_init(struct patterns *p, const char *key, const char *const *texts,
				 size_t n, struct err_info *info);
void patterns_fini(struct patterns *p);
/** Does any of them match this absolute path, the last `below_n` bytes of which are below its root?
 * O(patterns * path), for hostile ones O(pattern * path) each. */
bool patterns_match(const struct patterns *p, struct span path, size_t below_n, bool directory);
