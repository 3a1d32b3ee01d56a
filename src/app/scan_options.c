/* SPDX-License-Identifier: MIT */
#include "app/scan_options.h"

#include "conf/conf.h"
#include "scanner/patterns.h"

_Static_assert(CONF_ROOTS_MAX <= SCANNER_ROOTS_MAX && CONF_PATTERNS_MAX <= PATTERNS_MAX,
	       "the configuration's limit is the one that people are told");

struct scanner_options scan_options(const struct conf *conf, struct library *library)
{
	return (struct scanner_options){
		.library = library,
		.roots = conf->roots.items,
		.roots_n = conf->roots.n,
		.exclude = conf->exclude.items,
		.exclude_n = conf->exclude.n,
		.include = conf->include.items,
		.include_n = conf->include.n,
		.probe_workers = conf->probe_workers,
		.tag_encoding = conf->tag_encoding,
		.watch = conf->watch,
		.poll_ms = (uint64_t)conf->poll_s * 1000,
		.rescan_ms = (uint64_t)conf->rescan_h * 3600 * 1000,
		.grace_s = (uint64_t)conf->grace_days * 24 * 3600,
	};
}
