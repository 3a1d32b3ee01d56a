/* SPDX-License-Identifier: MIT */
/* File systems by an id that can be stored. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FILESYSTEMS_MAX 16

/** Those that were asked for last. Zeroed: none. */
struct filesystems {
	struct {
		dev_t device;
		uint64_t id;
		bool remote; /* changes from elsewhere raise no events here */
	} known[FILESYSTEMS_MAX];
	unsigned n, next;
};

/** The id, which survives a reboot, of the file system of `fd`, whose st_dev is `device`; asked
 * once per file system. */
uint64_t filesystem_id(struct filesystems *f, int fd, dev_t device, bool *out_remote);
