/* SPDX-License-Identifier: MIT */
/* A result as one line of JSON, for people and scripts. */
#pragma once

#include <stdio.h>

#include "probe/probe.h"

/** Print one object and a line end. False: it could not be written. */
bool facts_json_print(FILE *out, struct span path, const struct probe_result *result);
