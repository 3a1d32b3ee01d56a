/* SPDX-License-Identifier: MIT */
/* What the sub-commands do. Each returns the exit status and prints its own errors. */
#pragma once

#include "base/err.h"

struct args;
struct conf;

#define EXIT_USAGE 2

int command_serve(struct conf *conf);
int command_scan(struct conf *conf, const struct args *args);
int command_check(const struct conf *conf);
int command_stats(const struct conf *conf);
int command_import(struct conf *conf, const struct args *args);
/** Into args->directory; by the running server where there is one. */
int command_backup(const struct conf *conf, const struct args *args);
int command_restore(const struct conf *conf, const struct args *args);
int command_repair(const struct conf *conf);
int command_compact(const struct conf *conf);
/** Of args' directories. */
int command_cleanup(const struct conf *conf, const struct args *args);
int command_playlists(const struct conf *conf);
/** args->playlist into args->export_file. */
int command_export(const struct conf *conf, const struct args *args);
int command_dump_config(const struct conf *conf);
