/* SPDX-License-Identifier: MIT */
/* Object ids come from the network. What is accepted comes out the same, but for the aliases. Any
 * bytes have a sort key that is bounded and holds no zero. */
#include "library/object_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span s = span_of(data, n);
	struct object_id id;
	char again[LIBRARY_ID_MAX];
	if (object_id_parse(s, &id) == ERR_OK) {
		bool alias = n == 1 && data[0] >= '1' && data[0] <= '3';
		object_id_format(&id, again);
		ASSERT(alias || span_eq(s, span_str(again)));
	}
	uint8_t key[COLLATE_KEY_MAX];
	size_t key_n = library_collate_key(s, key);
	ASSERT(key_n <= sizeof key && (key_n == 0 || !memchr(key, 0, key_n)));
	return 0;
}
