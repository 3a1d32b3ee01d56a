/* SPDX-License-Identifier: MIT */
/* Our own parsers of media headers: the sniffer, pictures, ADTS, DSF, DSDIFF, Ogg's last page. */
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sniff.h"
#include "probe/helper/audio.h"
#include "probe/helper/image_size.h"
#include "probe/helper/raw_audio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_all(const struct source *s)
{
	struct span head = span_of(s->head, s->head_n);
	struct raw_audio raw = { 0 };

	(void)sniff_format(head);
	for (int format = MEDIA_FORMAT_JPEG; format < MEDIA_FORMAT_N; format++) {
		struct image_header image;

		if (image_header_read(s, (enum media_format)format, &image) == ERR_OK)
			ASSERT(image.width > 0 && image.height > 0 && image.orientation <= 8);
	}
	(void)raw_audio_adts(s, MIN(audio_id3_bytes(head), s->size), &raw);
	(void)raw_audio_dsf(s, &raw);
	(void)raw_audio_dsdiff(s, &raw);
	(void)raw_audio_ogg_ms(s, 44100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP(fd_closep) int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct source s;

	if (fd < 0 || fd_pwrite_all(fd, span_of(data, n), 0) != ERR_OK)
		return 0;
	if (source_init(&s, fd) == ERR_OK)
		read_all(&s);
	return 0;
}
