/* SPDX-License-Identifier: MIT */
/* The icons' bytes, taken from the files in icons/ at build time. */
#include "dlna/description.h"

#include "base/attr.h"

#define EMBED(symbol, file)                                                                        \
	__asm__(".pushsection .rodata\n"                                                           \
		".global " #symbol "\n.global " #symbol "_end\n" #symbol ":\n.incbin \"" ICONS_DIR \
		"/" file "\"\n" #symbol "_end:\n"                                                  \
		".popsection\n");                                                                  \
	extern const char symbol[], symbol##_end[]

EMBED(icon_png_48, "48.png");
EMBED(icon_png_120, "120.png");
EMBED(icon_jpeg_48, "48.jpg");
EMBED(icon_jpeg_120, "120.jpg");

struct icon icon_at(size_t i)
{
	const struct {
		const char *name, *mime;
		unsigned size;
		const char *first, *end;
	} icons[ICONS_N] = {
		{ "48.png", "image/png", 48, icon_png_48, icon_png_48_end },
		{ "120.png", "image/png", 120, icon_png_120, icon_png_120_end },
		{ "48.jpg", "image/jpeg", 48, icon_jpeg_48, icon_jpeg_48_end },
		{ "120.jpg", "image/jpeg", 120, icon_jpeg_120, icon_jpeg_120_end },
	};

	ASSERT(i < ICONS_N);
	return (struct icon){ icons[i].name, icons[i].mime, icons[i].size,
			      span_of(icons[i].first, (size_t)(icons[i].end - icons[i].first)) };
}
