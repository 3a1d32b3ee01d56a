/* SPDX-License-Identifier: MIT */
/* One page of objects in an answer: what Browse and Search have in common. */
#pragma once

#include "dlna/didl.h"
#include "dlna/soap.h"

/* What comes behind the last object: the end of DIDL, of the answer, of the envelope. */
#define PAGE_TAIL_BYTES_MAX 1024

struct page {
	uint64_t returned_n, total_n;
	uint32_t update_id;
};

/** Room for so many objects at once. Only a guess: without it the reply grows step by step. */
void page_reserve(struct buf *b, uint64_t objects_n);
/** Appends one object; false where it found no room, and then nothing of it is left. */
bool page_add_object(struct didl *w, const struct object *o);
/** The out arguments behind Result. */
void page_out(struct soap_call *call, const struct page *page);
