/* SPDX-License-Identifier: MIT */
/* The files of the page, as cmake/embed.cmake puts them into the program. */
#pragma once

#include <stddef.h>

struct ui_asset {
	const char *path; /* "/ui/app.js" */
	const char *type;
	const char *etag; /* with its quotes */
	const unsigned char *bytes;
	size_t n;
};

extern const struct ui_asset ui_assets[];
extern const size_t ui_assets_n;
