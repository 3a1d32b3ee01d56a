/* SPDX-License-Identifier: MIT */
/* What flatc decodes from our buffers is what was put in. */
#include <jansson.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "media_fields.h"
#include "rows.h"

#define ROWS 60

extern char **environ;
static struct random_row rows[ROWS];
static uint8_t buf[1 << 20];

/* flatc --json in `dir`, of batch.bin; the parsed document. */
static json_t *flatc_decode(const char *dir)
{
	char bin[512], json[512];
	snprintf(bin, sizeof bin, "%s/batch.bin", dir);
	snprintf(json, sizeof json, "%s/batch.json", dir);
	char *argv[] = { FLATC,
			 "--json",
			 "--strict-json",
			 "--raw-binary",
			 "--force-defaults",
			 "--defaults-json",
			 "-o",
			 (char *)(uintptr_t)dir,
			 MEDIA_FBS,
			 "--",
			 bin,
			 NULL };
	pid_t pid;
	int status = -1;
	EXPECT(posix_spawn(&pid, FLATC, NULL, NULL, argv, environ) == 0);
	EXPECT(waitpid(pid, &status, 0) == pid);
	EXPECT_I64(0, status);
	json_error_t e;
	json_t *doc = json_load_file(json, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
	EXPECT(doc != NULL);
	return doc;
}

/* Enums come by name. */
static uint64_t number_of(const json_t *v)
{
	static const char *const names[][6] = {
		{ "Other", "Audio", "Video", "Image" },
		{ "None", "Transport", "TransportZero", "TransportStamped", "System", "Program" },
		{ "Unknown", "Progressive", "Interlaced" },
	};
	if (json_is_boolean(v))
		return json_is_true(v);
	if (!json_is_string(v))
		return (uint64_t)json_integer_value(v);
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		for (uint64_t i = 0; i < ARRAY_LEN(names[k]) && names[k][i]; i++)
			if (strcmp(json_string_value(v), names[k][i]) == 0)
				return i;
	EXPECT(!"a name of some enum");
	return 0;
}

static struct span text_of(const json_t *v)
{
	return span_of(json_string_value(v), json_string_length(v));
}

#define JSON_NUM(name) EXPECT_U64((uint64_t)in->name, number_of(json_object_get(row, #name)));
#define JSON_STR(name) EXPECT_SPAN(in->name, text_of(json_object_get(row, #name)));
#define JSON_STRS(name)                                                                            \
	EXPECT_U64(in->name##_n, json_array_size(json_object_get(row, #name)));                    \
	for (uint32_t k = 0; k < in->name##_n; k++)                                                \
		EXPECT_SPAN(in->name[k], text_of(json_array_get(json_object_get(row, #name), k)));
#define JSON_NUMS(name)                                                                            \
	EXPECT_U64(in->name##_n, json_array_size(json_object_get(row, #name)));                    \
	for (uint32_t k = 0; k < in->name##_n; k++)                                                \
		EXPECT_U64(in->name[k], number_of(json_array_get(json_object_get(row, #name), k)));
#define JSON(kind, name) JSON_##kind(name)

static void json_expect(const struct media_file_in *in, const json_t *row)
{
	MEDIA_FIELDS(JSON)
	const json_t *subtitles = json_object_get(row, "subtitles");
	EXPECT_U64(in->subtitles_n, json_array_size(subtitles));
	for (uint32_t k = 0; k < in->subtitles_n; k++)
		EXPECT_SPAN(in->subtitles[k].path,
			    text_of(json_object_get(json_array_get(subtitles, k), "path")));
}

TEST(golden, flatc_decodes_every_value_of_random_rows)
{
	struct fb_writer w;
	char path[512];
	const char *dir = test_tmpdir();

	media_file_batch_begin(&w, buf, sizeof buf, 42, -7, BATCH_OPERATION_REMOVE);
	for (uint32_t i = 0; i < ROWS; i++) {
		row_random(&rows[i]);
		uint64_t *ulongs[] = { &rows[i].in.id, &rows[i].in.size, &rows[i].in.device,
				       &rows[i].in.inode, &rows[i].in.directory_id };
		for (unsigned k = 0; k < ARRAY_LEN(ulongs); k++)
			*ulongs[k] &= INT64_MAX; /* what jansson can hold */
		if (i % 3)			 /* texts that rows have in common are there once */
			row_repeat(&rows[i], &rows[i - 1]);
		media_file_batch_add(&w, &rows[i].in);
	}
	EXPECT_OK(w.err);
	struct span batch = fb_batch_finish(&w);
	snprintf(path, sizeof path, "%s/batch.bin", dir);
	FILE *f = fopen(path, "wb");
	EXPECT(f && fwrite(batch.p, 1, batch.n, f) == batch.n);
	EXPECT(fclose(f) == 0);

	json_t *doc = flatc_decode(dir);
	json_t *files = json_object_get(doc, "files");
	EXPECT_U64(42, number_of(json_object_get(doc, "batch_id")));
	EXPECT_I64(-7, (int64_t)number_of(json_object_get(doc, "timestamp")));
	EXPECT_U64(ROWS, json_array_size(files));
	for (uint32_t i = 0; i < ROWS; i++)
		json_expect(&rows[i].in, json_array_get(files, i));
	json_decref(doc);
}
