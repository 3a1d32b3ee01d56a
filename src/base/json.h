/* SPDX-License-Identifier: MIT */
/* A streaming JSON writer: commas and escapes are its business, nesting is checked. */
#pragma once

#include "base/buf.h"

#define JSON_DEPTH_MAX 32

struct json {
	struct buf *b;
	uint32_t depth;
	uint32_t has_items; /* bit per level: a comma is due */
	uint32_t is_object; /* bit per level: values need a key */
	bool after_key;
};

/** Write to `b`, which outlives the writer. Errors stick in b (buf_err()). */
void json_init(struct json *j, struct buf *b);
void json_object(struct json *j);
void json_object_end(struct json *j);
void json_array(struct json *j);
void json_array_end(struct json *j);
/** A member's name; the next value belongs to it. */
void json_key(struct json *j, const char *name);
/** Text; bytes that are not UTF-8 become U+FFFD. */
void json_text(struct json *j, struct span s);
void json_u64(struct json *j, uint64_t v);
void json_i64(struct json *j, int64_t v);
void json_double(struct json *j, double v);
void json_bool(struct json *j, bool v);
void json_null(struct json *j);

/** Whether the text is one JSON value, nested at most JSON_DEPTH_MAX deep, and valid UTF-8. */
bool json_is_valid(struct span text);
