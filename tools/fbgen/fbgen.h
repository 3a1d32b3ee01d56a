/* SPDX-License-Identifier: MIT */
/* fbgen: C accessors, writers and verifiers from a binary FlatBuffers schema (.bfbs). */
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "base/flatbuffer.h"

#define NAME_MAX_BYTES 96
#define TABLES_MAX 128
#define ENUMS_MAX 64

/* A scalar type as the schema and C know it. */
struct scalar {
	const char *c_type;
	const char *bits; /* of the accessors: fb_get_u16 */
	uint8_t size;	  /* 0: not a scalar that is supported */
	bool is_signed;
};

struct table;

struct field {
	char name[NAME_MAX_BYTES]; /* snake_case */
	uint8_t id;
	uint8_t kind;	      /* enum fb_kind */
	uint8_t size;	      /* inline */
	struct scalar scalar; /* FB_SCALAR: itself; FB_SCALARS: an element */
	struct table *table;  /* FB_TABLES: of an element */
	int64_t absent;	      /* the default of a scalar */
	bool required;
	bool deprecated;
	uint8_t shared;		   /* 1 + number among the schema's shared fields; 0: not */
	char like[NAME_MAX_BYTES]; /* the field that it is mostly equal to; "": none */
};

struct table {
	char schema_name[NAME_MAX_BYTES]; /* "MediaFile" */
	char name[NAME_MAX_BYTES];	  /* "media_file" */
	uint32_t fields_n;		  /* without deprecated ones, by id */
	struct field fields[FB_FIELDS_MAX];
	bool is_batch; /* "...Batch", whose field 0 is the vector of rows */
	bool is_row;   /* what such a vector is of */
};

struct model {
	char file_id[5]; /* "": none */
	const char *source;
	struct fb_vector enums;
	struct table tables[TABLES_MAX];
	uint32_t tables_n;
	uint32_t shared_n;
};

/** Says why on stderr and ends with exit status 1. */
PRINTF_LIKE(1, 2) NORETURN void refuse(const char *fmt, ...);

/** Read a verified .bfbs; refuses what salver's schemas have no use for. */
void model_read(struct span bfbs, const char *source, struct model *out);
/** "MediaFile" -> "media_file". */
void name_snake(struct span schema_name, char out[NAME_MAX_BYTES]);
/** The same in capitals: "MEDIA_FILE". */
void name_upper(struct span schema_name, char out[NAME_MAX_BYTES]);
/** The part behind the last dot: "salver.MediaFile" -> "MediaFile". */
struct span name_local(struct span qualified);

void emit_enums(FILE *f, const struct model *m);
void emit_accessors(FILE *f, const struct table *t);
void emit_input_struct(FILE *f, const struct table *t);
void emit_prototypes(FILE *f, const struct table *t);
void emit_type(FILE *f, const struct table *t);
void emit_writer(FILE *f, const struct model *m, const struct table *t);
void emit_verifier(FILE *f, const struct model *m, const struct table *t);

/** Whether it is a row with fields that repeat, which may say that it is like the one before. */
bool has_alike(const struct table *t);
/** The arguments of XBatch's ..._batch_begin(), behind cap: ", uint64_t batch_id, ..." */
void emit_batch_arguments(FILE *f, const struct table *t);
/** The fields in the order in which rows have them: see struct fb_table_type. */
uint32_t fields_in_order(const struct table *t, const struct field *out[FB_FIELDS_MAX]);
/** The C literal of a scalar's default. */
void emit_literal(FILE *f, const struct field *field);

/* enum values as the reflection schema numbers them: reflection.c */
struct span enum_name(struct fb_table e);
struct fb_vector enum_values(struct fb_table e);
struct span enum_value_name(struct fb_table v);
int64_t enum_value_number(struct fb_table v);
