/* SPDX-License-Identifier: MIT */
/* One page of objects in an answer: what Browse and Search have in common. */
#include "dlna/page.h"

/* Most objects take less; saves copying while the reply grows. */
#define OBJECT_TYPICAL_BYTES 1280
#define OBJECTS_RESERVE_MAX 256

void page_reserve(struct buf *b, uint64_t objects_n)
{
	size_t bytes = (size_t)MIN(objects_n, OBJECTS_RESERVE_MAX) * OBJECT_TYPICAL_BYTES;

	if (buf_err(b) == ERR_OK && bytes < b->max - b->n)
		(void)buf_room(b, bytes);
}

bool page_add_object(struct didl *w, const struct object *o)
{
	struct buf *b = w->out;
	size_t before = b->n;

	didl_object(w, o);
	if (buf_err(b) == ERR_OK && b->n <= b->max - PAGE_TAIL_BYTES_MAX)
		return true;
	if (buf_err(b) != ERR_NOMEM) {
		b->err = ERR_OK;
		b->n = before;
	}
	return false;
}

void page_out(struct soap_call *call, const struct page *page)
{
	soap_out_u64(call, "NumberReturned", page->returned_n);
	soap_out_u64(call, "TotalMatches", page->total_n);
	soap_out_u64(call, "UpdateID", page->update_id);
}
