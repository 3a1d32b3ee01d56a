/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <grp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "harness.h"
#include "library/listing.h"
#include "scanner/report.h"
#include "schema/media_fb.h"

static void library_new(struct rig *r, const char *directory)
{
	static char path[4][512];
	static unsigned n;
	struct err_info info = { 0 };
	char *p = path[n++ % 4];

	snprintf(p, sizeof path[0], "%s/%s", test_tmpdir(), directory);
	mkdir(p, 0755);
	struct library_options options = { .database_dir = p };
	if (library_open(&options, &r->library, &info) != ERR_OK)
		printf("%s\n", info.text);
	EXPECT(r->library != NULL);
}

void rig_open(struct rig *r)
{
	static char root[512];

	*r = (struct rig){ 0 };
	EXPECT(chdir(test_tmpdir()) == 0);
	mkdir("media", 0755);
	snprintf(root, sizeof root, "%s/media", test_tmpdir());
	r->roots[r->roots_n++] = root;
	library_new(r, "db");
}

void rig_open_other(struct rig *r, const struct rig *like, const char *name)
{
	*r = *like;
	r->scanner = NULL;
	library_new(r, name);
}

void rig_close(struct rig *r)
{
	rig_stop(r);
	library_close(r->library);
	r->library = NULL;
}

void rig_reopen(struct rig *r)
{
	rig_close(r);
	library_new(r, "db");
}

static struct scanner_options options_of(const struct rig *r, bool watch)
{
	struct scanner_options options = r->options;

	options.library = r->library;
	options.roots = r->roots;
	options.roots_n = r->roots_n;
	options.probe_workers = 2;
	options.watch = watch;
	options.poll_ms = r->poll_ms;
	options.probe_program = r->probe ? r->probe : SCANNER_PROBE;
	return options;
}

static void start(struct rig *r, bool watch)
{
	struct scanner_options options = options_of(r, watch);
	struct err_info info = { 0 };

	if (scanner_start(&options, &r->scanner, &info) != ERR_OK)
		printf("%s\n", info.text);
	EXPECT(r->scanner != NULL);
	EXPECT_OK(scanner_wait(r->scanner, 100000));
	scanner_progress_get(r->scanner, &r->progress);
}

void rig_scan(struct rig *r)
{
	start(r, false);
	rig_stop(r);
}

void rig_scan_on(struct rig *r)
{
	start(r, false);
}

void rig_watch(struct rig *r)
{
	start(r, true);
}

void rig_stop(struct rig *r)
{
	scanner_stop(r->scanner);
	r->scanner = NULL;
}

#define NOBODY 65534

void rig_drop_root(void)
{
	if (geteuid() != 0)
		return;
	if (chown(test_tmpdir(), NOBODY, NOBODY) != 0 || setgroups(0, NULL) != 0 ||
	    setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)
		test_skip("cannot become nobody");
	if (access(SCANNER_PROBE, X_OK) != 0)
		test_skip("nobody may not run salver-probe here");
}

void rig_private_mounts(void)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		test_skip("cannot make private mounts");
}

void rig_sh(const char *fmt, ...)
{
	char command[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof command, fmt, args);
	va_end(args);
	int status = system(command);
	if (status != 0)
		printf("failed: %s\n", command);
	EXPECT(status == 0);
}

void rig_media(const char *name, const char *to)
{
	char from[512];

	snprintf(from, sizeof from, "%s/%s", PROBE_MEDIA_DIR, name);
	if (access(from, R_OK) != 0)
		test_skip("the media files were not made");
	rig_sh("mkdir -p \"$(dirname '%s')\" && cp '%s' '%s'", to, from, to);
}

uint64_t rig_id(struct rig *r, const char *path)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(r->library);
	char full[1024];
	struct fb_table row;

	snprintf(full, sizeof full, "%s/%s", test_tmpdir(), path);
	return library_media_by_path(sn, span_str(full), &row) == ERR_OK ? media_file_id(row) : 0;
}

bool rig_wait_for(struct rig *r, const char *path, bool there)
{
	for (unsigned i = 0; i < 2000; i++) {
		if ((rig_id(r, path) != 0) == there)
			return true;
		usleep(5000);
	}
	return false;
}

uint64_t rig_files(struct rig *r)
{
	struct library_stats st;

	library_stats_get(r->library, &st);
	return st.audio_n + st.video_n + st.images_n;
}

/* ---- dumps ----------------------------------------------------------------------------------- */

static void add_text(struct buf *b, const char *name, struct span s)
{
	if (s.n == 0)
		return;
	buf_addf(b, " %s=", name);
	buf_add(b, s);
}

static void add_number(struct buf *b, const char *name, uint64_t v)
{
	if (v != 0)
		buf_addf(b, " %s=%llu", name, (unsigned long long)v);
}

static void add_texts(struct buf *b, const char *name, struct fb_vector v)
{
	for (uint32_t i = 0; i < v.n; i++)
		add_text(b, name, fb_vector_string(v, i));
}

#define TEXT(field) add_text(b, #field, media_file_##field(f))
#define NUMBER(field) add_number(b, #field, (uint64_t)media_file_##field(f))

static void add_bytes(struct buf *b, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%02x", p[i]);
}

static void add_field(struct buf *b, struct fb_table t, const struct fb_field_type *field);

static void add_table(struct buf *b, struct fb_table t, const struct fb_table_type *type)
{
	for (uint32_t i = 0; i < type->fields_n; i++)
		add_field(b, t, &type->fields[i]);
}

static void add_field(struct buf *b, struct fb_table t, const struct fb_field_type *field)
{
	uint32_t slot = 4 + 2u * field->id;
	const uint8_t *p = fb_field(t, slot);

	if (!p)
		return;
	buf_addf(b, " #%u:", field->id);
	if (field->kind == FB_SCALAR) {
		add_bytes(b, p, field->size);
	} else if (field->kind == FB_STRING) {
		struct span s = fb_get_bytes(t, slot);
		add_bytes(b, (const uint8_t *)s.p, s.n);
	} else if (field->kind == FB_TABLE) {
		add_table(b, fb_get_table(t, slot), field->table);
	} else {
		struct fb_vector v = fb_get_vector(t, slot);
		for (uint32_t i = 0; i < v.n; i++) {
			buf_addf(b, " [%u]", i);
			if (field->kind == FB_TABLES) {
				add_table(b, fb_vector_table(v, i), field->table);
			} else if (field->kind == FB_STRINGS) {
				struct span s = fb_vector_string(v, i);
				add_bytes(b, (const uint8_t *)s.p, s.n);
			} else {
				add_bytes(b, v.buf + v.pos + (size_t)i * field->element_size,
					  field->element_size);
			}
		}
	}
}

/* Of two libraries of one tree all fields are the same, byte for byte, but numbers that the library
 * allots and times of storing. By the schema, so that no field that comes later is forgotten. */
static bool is_the_librarys_own(const struct fb_field_type *field)
{
	static const uint8_t own[] = {
		0,		       /* id */
		15, 16,		       /* created_at, updated_at */
		41,		       /* directory_id */
		44, 45, 46, 47, 48, 49 /* ids of terms and albums */
	};

	for (size_t i = 0; i < sizeof own; i++)
		if (own[i] == field->id)
			return true;
	return false;
}

static void add_all_fields(struct buf *b, struct fb_table f)
{
	for (uint32_t i = 0; i < media_file_type.fields_n; i++)
		if (!is_the_librarys_own(&media_file_type.fields[i]))
			add_field(b, f, &media_file_type.fields[i]);
}

static void dump_file(struct buf *b, struct fb_table f)
{
	struct fb_vector subtitles = media_file_subtitles(f);
	struct fb_vector tracks = media_file_audio_tracks(f);

	buf_add(b, media_file_path(f));
	TEXT(canonical_path), TEXT(filename), NUMBER(size), NUMBER(modified), TEXT(mime_type);
	NUMBER(duration_ms), TEXT(title), TEXT(artist), TEXT(album), TEXT(genre), NUMBER(track);
	NUMBER(year), TEXT(album_artist), NUMBER(disc), TEXT(composer), NUMBER(bitrate);
	NUMBER(sample_rate), NUMBER(channels), NUMBER(bits_per_sample), NUMBER(width);
	NUMBER(height), TEXT(container), TEXT(audio_codec), TEXT(video_codec), TEXT(video_profile);
	TEXT(audio_profile), NUMBER(mpeg_stream), NUMBER(video_scan);
	NUMBER(video_level), NUMBER(frame_rate_milli), NUMBER(date_taken), NUMBER(orientation);
	TEXT(camera), TEXT(art_path), NUMBER(art_embedded), NUMBER(device), NUMBER(inode);
	NUMBER(kind), NUMBER(compilation), NUMBER(probe_error);
	add_texts(b, "artists", media_file_artists(f));
	add_texts(b, "genres", media_file_genres(f));
	for (uint32_t i = 0; i < subtitles.n; i++) {
		add_text(b, "subtitle", subtitle_path(fb_vector_table(subtitles, i)));
		add_text(b, "language", subtitle_language(fb_vector_table(subtitles, i)));
	}
	for (uint32_t i = 0; i < tracks.n; i++)
		add_text(b, "track_codec", stream_codec(fb_vector_table(tracks, i)));
	add_all_fields(b, f);
	buf_add_char(b, '\n');
}

static void dump_directory(struct buf *b, const struct library_snap *sn, uint64_t id)
{
	struct directory_cursor *c = malloc(sizeof *c);
	struct fb_table row;

	EXPECT(c != NULL);
	library_directory_files(sn, id, c);
	while (directory_cursor_file(c, &row))
		dump_file(b, row);
	library_directory_subdirs(sn, id, c);
	while (directory_cursor_subdir(c, &row))
		dump_directory(b, sn, directory_id(row));
	free(c);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names that collate alike come in the order of their ids, which may differ. */
static char *sort_lines(char *text)
{
	size_t n = 0, cap = 1;
	char **lines;
	struct buf b;

	for (char *p = text; *p; p++)
		cap += *p == '\n';
	lines = calloc(cap, sizeof *lines);
	EXPECT(lines != NULL);
	for (char *p = text; *p;) {
		lines[n++] = p;
		p += strcspn(p, "\n");
		*p++ = '\0'; /* every line ends with one */
	}
	qsort(lines, n, sizeof *lines, compare_lines);
	buf_init(&b, 64u << 20);
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s\n", lines[i]);
	free(lines);
	free(text);
	char *sorted = strdup(buf_cstr(&b));
	buf_fini(&b);
	return sorted;
}

char *rig_dump(struct rig *r)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(r->library);
	struct buf b;

	buf_init(&b, 64u << 20);
	for (unsigned i = 0; i < r->roots_n; i++) {
		uint64_t id;

		if (library_directory_find(sn, span_str(r->roots[i]), &id) == ERR_OK)
			dump_directory(&b, sn, id);
	}
	char *text = strdup(buf_cstr(&b));
	buf_fini(&b);
	EXPECT(text != NULL);
	return sort_lines(text);
}

static void add_reason(void *ctx, struct span path, enum scan_reason reason)
{
	struct span below = span_skip(path, strlen(test_tmpdir()) + 1);

	buf_addf(ctx, "%s ", scan_reasons[reason].name);
	for (size_t i = 0; i < below.n; i++)
		buf_add_char(ctx, below.p[i] == '\n' ? '#' : below.p[i]);
	buf_add_char(ctx, '\n');
}

static bool always(void *ctx)
{
	(void)ctx;
	return true;
}

char *rig_report(struct rig *r)
{
	struct scanner_options options = options_of(r, false);
	struct err_info info = { 0 };
	struct buf b;

	buf_init(&b, 64u << 20);
	struct report_sink sink = { add_reason, always, &b };
	EXPECT_OK(scanner_report(&options, &sink, &info));
	char *text = strdup(buf_cstr(&b));
	buf_fini(&b);
	EXPECT(text != NULL);
	return sort_lines(text);
}

static void print_difference(const char *want, const char *got)
{
	while (*want && *got) {
		size_t wn = strcspn(want, "\n");
		size_t gn = strcspn(got, "\n");

		if (wn != gn || memcmp(want, got, wn) != 0)
			break;
		want += wn + (want[wn] != '\0');
		got += gn + (got[gn] != '\0');
	}
	printf("want %.*s\n got %.*s\n", (int)strcspn(want, "\n"), want, (int)strcspn(got, "\n"),
	       got);
}

bool rig_wait_equal(struct rig *r, const char *dump)
{
	uint64_t end_ms = clock_now_ms() + 15000;

	for (;;) {
		char *mine = rig_dump(r);
		bool equal = strcmp(mine, dump) == 0;

		if (!equal && clock_now_ms() >= end_ms)
			print_difference(dump, mine);
		free(mine);
		if (equal || clock_now_ms() >= end_ms)
			return equal;
		usleep(50000);
	}
}
