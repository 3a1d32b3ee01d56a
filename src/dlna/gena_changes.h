/* SPDX-License-Identifier: MIT */
/* Which containers changed last: the one source of ContainerUpdateIDs for all subscriptions, each
 * of which remembers only how far it has been told. */
#pragma once

#include "base/buf.h"
#include "library/library.h"

#define CHANGES_MAX 128

struct gena_changes {
	uint64_t commit;    /* the newest */
	uint64_t serial;    /* of the newest row */
	uint64_t forgotten; /* rows up to this serial may be gone */
	unsigned rows_n;
	struct gena_change {
		uint64_t serial;
		uint32_t update_id;
		char id[LIBRARY_ID_MAX];
	} rows[CHANGES_MAX];
};

void gena_changes_add(struct gena_changes *c, const struct library_change *change);
/** "id,update id,..." of what changed after `serial`, each container once. Where that is not all
 * known any more, the root stands for the rest. */
void gena_changes_list(const struct gena_changes *c, uint64_t serial, struct buf *out);
