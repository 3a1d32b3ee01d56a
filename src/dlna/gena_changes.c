/* SPDX-License-Identifier: MIT */
/* Which containers changed last. */
#include "dlna/gena_changes.h"

/** The row of this container, else a free one, else the oldest. */
static struct gena_change *row_for(struct gena_changes *c, const char *id)
{
	struct gena_change *oldest = &c->rows[0];

	for (unsigned i = 0; i < c->rows_n; i++) {
		if (strcmp(c->rows[i].id, id) == 0)
			return &c->rows[i];
		if (c->rows[i].serial < oldest->serial)
			oldest = &c->rows[i];
	}
	if (c->rows_n < CHANGES_MAX)
		return &c->rows[c->rows_n++];
	c->forgotten = oldest->serial;
	return oldest;
}

void gena_changes_add(struct gena_changes *c, const struct library_change *change)
{
	for (unsigned i = 0; i < change->containers_n && i < LIBRARY_CHANGED_MAX; i++) {
		struct gena_change *row = row_for(c, change->containers[i]);

		row->serial = ++c->serial;
		row->update_id = (uint32_t)change->commit;
		memcpy(row->id, change->containers[i], sizeof row->id);
		row->id[sizeof row->id - 1] = '\0';
	}
	if (change->commit > c->commit)
		c->commit = change->commit;
}

void gena_changes_list(const struct gena_changes *c, uint64_t serial, struct buf *out)
{
	bool some = false;

	if (serial < c->forgotten) {
		buf_addf(out, "0,%u", (unsigned)(uint32_t)c->commit);
		some = true;
	}
	for (unsigned i = 0; i < c->rows_n; i++) {
		const struct gena_change *row = &c->rows[i];

		if (row->serial <= serial || (some && strcmp(row->id, "0") == 0))
			continue;
		buf_addf(out, "%s%s,%u", some ? "," : "", row->id, (unsigned)row->update_id);
		some = true;
	}
}
