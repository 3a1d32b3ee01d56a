/* SPDX-License-Identifier: MIT */
/* fbgen SCHEMA.bfbs OUT.h OUT.c: the command. */
#include <stdarg.h>
#include <stdlib.h>

#include "fbgen.h"

#define BFBS_BYTES_MAX (4u << 20)

void refuse(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("fbgen: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static struct span file_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *bytes = malloc(BFBS_BYTES_MAX);
	if (!f || !bytes)
		refuse("%s: cannot be read", path);
	size_t n = fread(bytes, 1, BFBS_BYTES_MAX, f);
	if (ferror(f) || n == BFBS_BYTES_MAX)
		refuse("%s: cannot be read, or is too long", path);
	fclose(f);
	return span_of(bytes, n);
}

static FILE *out_open(const char *path, const struct model *m)
{
	FILE *f = fopen(path, "w");
	if (!f)
		refuse("%s: cannot be written", path);
	fprintf(f,
		"/* SPDX-License-Identifier: MIT */\n"
		"/* Written by tools/fbgen from %s at build time. */\n",
		m->source);
	return f;
}

static void out_close(FILE *f, const char *path)
{
	if (ferror(f) | fclose(f))
		refuse("%s: cannot be written", path);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void header_write(const char *path, const struct model *m)
{
	FILE *f = out_open(path, m);
	fprintf(f, "#pragma once\n\n#include \"base/flatbuffer.h\"\n\n");
	emit_enums(f, m);
	for (uint32_t i = 0; i < m->tables_n; i++) {
		fprintf(f, "/* ---- %s */\n\n", m->tables[i].schema_name);
		emit_accessors(f, &m->tables[i]);
		emit_input_struct(f, &m->tables[i]);
		emit_prototypes(f, &m->tables[i]);
	}
	out_close(f, path);
}

static void source_write(const char *path, const char *header, const struct model *m)
{
	FILE *f = out_open(path, m);
	fprintf(f, "#include \"schema/%s\"\n\n", base_name(header));
	for (uint32_t i = 0; i < m->tables_n; i++)
		emit_type(f, &m->tables[i]);
	for (uint32_t i = 0; i < m->tables_n; i++) {
		emit_writer(f, m, &m->tables[i]);
		emit_verifier(f, m, &m->tables[i]);
	}
	out_close(f, path);
}

int main(int argc, char **argv)
{
	static struct model m;

	if (argc != 4)
		refuse("usage: fbgen SCHEMA.bfbs OUT.h OUT.c");
	struct span bfbs = file_read(argv[1]);
	model_read(bfbs, base_name(argv[1]), &m);
	header_write(argv[2], &m);
	source_write(argv[3], argv[2], &m);
	free((void *)(uintptr_t)bfbs.p);
	return 0;
}
