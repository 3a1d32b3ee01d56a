/* SPDX-License-Identifier: MIT */
/* The one place where the version stands. */
#pragma once

#define SALVER_VERSION "0.1.0"
