/* SPDX-License-Identifier: MIT */
/* Whatever a playlist file says, its entries are whole and its texts are UTF-8. The first byte is
 * the format. */
#include "base/utf8.h"
#include "scanner/playlist_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct playlist_file file;
	struct arena arena;

	if (n == 0)
		return 0;
	arena_init(&arena, PLAYLIST_PARSE_MAX_BYTES);
	if (playlist_file_parse((enum playlist_format)(data[0] % 4), span_of(data + 1, n - 1),
				&arena, &file) == ERR_OK) {
		ASSERT(utf8_valid(file.name) && utf8_valid(file.description));
		for (uint32_t i = 0; i < file.lines_n; i++) {
			const struct playlist_line *l = &file.lines[i];

			ASSERT(l->location.n > 0 && l->location.n <= PLAYLIST_LINE_MAX);
			ASSERT(utf8_valid(l->title));
		}
	}
	arena_fini(&arena);
	return 0;
}
