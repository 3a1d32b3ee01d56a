/* SPDX-License-Identifier: MIT */
/* The server put together: the one place that knows every module, and the order of their lives. */
#pragma once

#include "base/err.h"

struct app;
struct buf;
struct conf;

/** Open the library and serve. On return HTTP answers; discovery and the first scan are under way.
 * Errors: those of the modules; info has the sentence for the person who started us. */
NODISCARD enum err app_start(const struct conf *conf, struct app **out, struct err_info *info);
/** Until SIGTERM or SIGINT; answers the control socket meanwhile. Main thread. */
NODISCARD enum err app_run(struct app *app);
/** Byebye, end streams, commit, close. NULL is fine. */
void app_stop(struct app *app);
