/* SPDX-License-Identifier: MIT */
/* A media root, an empty library and a foreign database for a test, all in the case's own
 * directory. */
#pragma once

#include "import/import.h"
#include "library/library.h"

struct sqlite3;

struct import_rig {
	struct library *library;
	char dir[256];	  /* everything is below it */
	char root[300];	  /* the media root */
	char source[300]; /* the foreign database */
	struct sqlite3 *db;
	struct import_report report; /* of the last import */
	struct err_info info;
};

/** The root and the library; the database is opened and empty. */
void import_rig_init(struct import_rig *r);
void import_rig_fini(struct import_rig *r);
/** Close the library, and open it again. */
void import_rig_reopen(struct import_rig *r);
/** The same with MiniDLNA's tables (as version 11 has them), or VuIO's (version 2). */
void import_rig_minidlna(struct import_rig *r);
void import_rig_vuio(struct import_rig *r);

/** A file below the root, with the directories above it; its content is its name. */
void import_rig_file(struct import_rig *r, const char *path);
/** SQL on the foreign database; "@" stands for the root. */
void import_rig_sql(struct import_rig *r, const char *sql);

/** Import with the root; the database is closed and opened again around it. */
enum err import_rig_run(struct import_rig *r);
enum err import_rig_run_with(struct import_rig *r, const struct import_options *options);
/** The record of a file below the root; fails the case where there is none. Lifetime: `sn`. */
struct fb_table import_rig_record(struct import_rig *r, struct library_snap *sn, const char *path);
bool import_rig_has(struct import_rig *r, const char *path);
