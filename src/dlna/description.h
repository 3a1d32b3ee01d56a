/* SPDX-License-Identifier: MIT */
/* The device description document and its icons. */
#pragma once

#include "base/buf.h"

struct description_options {
	const char *friendly_name;
	const uint8_t *uuid; /* 16 bytes */
};

/** Names longer than UDA 1.0 allows are cut between characters. Pure. */
void description_add(const struct description_options *options, struct buf *out);
/** "4d696e69-444c-164e-9d41-0123456789ab": the UDN without "uuid:". */
void description_uuid_add(const uint8_t uuid[16], struct buf *out);

struct icon {
	const char *name; /* /icons/NAME */
	const char *mime;
	unsigned size; /* pixels, both ways */
	struct span bytes;
};

#define ICONS_N 4
/** In DLNA's order. Lifetime: static. */
struct icon icon_at(size_t i);
