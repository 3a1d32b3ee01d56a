/* SPDX-License-Identifier: MIT */
/* Facts of pictures: the size from their headers, date, orientation and camera from EXIF. */
#include "probe/helper/image.h"

#include <libexif/exif-data.h>

#include "probe/helper/image_size.h"

#define EXIF_PREFIX "Exif\0\0" /* what libexif expects in front */
#define EXIF_PREFIX_BYTES 6

static void exif_freep(ExifData **d)
{
	if (*d)
		exif_data_unref(*d);
}

static struct span exif_text(ExifData *d, ExifIfd ifd, ExifTag tag)
{
	ExifEntry *e = exif_content_get_entry(d->ifd[ifd], tag);

	if (!e || e->format != EXIF_FORMAT_ASCII || !e->data)
		return (struct span){ NULL, 0 };
	struct span s = span_of(e->data, e->size);
	return span_trim(span_first(s, span_find(s, '\0')));
}

static uint8_t exif_orientation(ExifData *d)
{
	ExifEntry *e = exif_content_get_entry(d->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);

	if (!e || e->format != EXIF_FORMAT_SHORT || e->size < 2)
		return 0;
	ExifShort v = exif_get_short(e->data, exif_data_get_byte_order(d));
	return v >= 1 && v <= 8 ? (uint8_t)v : 0;
}

/* When the shutter opened, else when it was digitised, else when the file was written. */
static int64_t exif_date(ExifData *d)
{
	int64_t t = facts_time(exif_text(d, EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL));

	if (t == 0)
		t = facts_time(exif_text(d, EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_DIGITIZED));
	return t != 0 ? t : facts_time(exif_text(d, EXIF_IFD_0, EXIF_TAG_DATE_TIME));
}

/* "Canon" and "Canon EOS 5D" are "Canon EOS 5D"; "SONY" and "ILCE-7" are "SONY ILCE-7". */
static struct span exif_camera(struct facts *f, ExifData *d)
{
	struct span make = exif_text(d, EXIF_IFD_0, EXIF_TAG_MAKE);
	struct span model = exif_text(d, EXIF_IFD_0, EXIF_TAG_MODEL);
	char both[FACTS_TEXT_MAX_BYTES];
	size_t n = MIN(make.n, sizeof both / 4);

	if (make.n == 0 || span_starts_nocase(model, make))
		return facts_text(f, model);
	memcpy(both, make.p, n);
	both[n++] = ' ';
	if (model.n > 0)
		memcpy(both + n, model.p, MIN(model.n, sizeof both / 4));
	return facts_text(f, span_of(both, n + MIN(model.n, sizeof both / 4)));
}

static void read_exif(struct facts *f, const struct source *s, struct image_header *h)
{
	static uint8_t block[EXIF_PREFIX_BYTES + IMAGE_EXIF_MAX_BYTES]; /* one worker, one thread */
	size_t n = source_read(s, h->exif_at, block + EXIF_PREFIX_BYTES,
			       (size_t)MIN(h->exif_n, (uint64_t)IMAGE_EXIF_MAX_BYTES));

	memcpy(block, EXIF_PREFIX, EXIF_PREFIX_BYTES);
	if (n < 8)
		return;
	CLEANUP(exif_freep)
	ExifData *d = exif_data_new_from_data(block, (unsigned)(EXIF_PREFIX_BYTES + n));
	if (!d)
		return;
	if (h->orientation == 0)
		h->orientation = exif_orientation(d);
	f->reply.date_taken = exif_date(d);
	f->reply.camera = exif_camera(f, d);
}

void image_probe(struct facts *f, const struct source *s, enum media_format format)
{
	struct image_header h;

	if (image_header_read(s, format, &h) != ERR_OK) {
		facts_fail(f, PROBE_STATUS_BROKEN, "no picture was found in it");
		return;
	}
	if (h.exif_n > 0)
		read_exif(f, s, &h);
	bool turned = h.orientation >= 5; /* 5 to 8: shown on their side */
	f->reply.width = turned ? h.height : h.width;
	f->reply.height = turned ? h.width : h.height;
	f->reply.orientation = h.orientation;
}
