/* SPDX-License-Identifier: MIT */
/* Files and descriptors: scoped closing, whole reads and writes, directories, passing over a
 * socket. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/span.h"

/** For CLEANUP(fd_closep): closes *fd unless it is negative, sets it to -1. Keeps errno. */
void fd_closep(int *fd);
/** Hand a descriptor over: returns it, leaves -1 behind. */
int fd_take(int *fd);

/** All of `s` at the given offset, over EINTR and short writes. Errors: ERR_NOSPACE, ERR_IO. */
NODISCARD enum err fd_pwrite_all(int fd, struct span s, uint64_t off);
/** Exactly n bytes. Errors: ERR_IO, ERR_NOTFOUND when the file ends before. */
NODISCARD enum err fd_pread_all(int fd, void *p, size_t n, uint64_t off);
/** A whole small file; ERR_LIMIT beyond max_bytes. *out is filled on success (buf_fini() it). */
struct buf;
NODISCARD enum err fd_read_file(int dir_fd, const char *path, size_t max_bytes, struct buf *out);

/** A directory (0700) with the missing ones above it; one that is there already is fine. errno says
 * why it failed. */
NODISCARD enum err fd_make_dirs(const char *path);

/** One SOCK_SEQPACKET message, with at most one descriptor (`pass_fd` -1: none). Never blocks
 * on a non-blocking socket: ERR_BUSY when it is full. ERR_CLOSED: the peer has gone. */
NODISCARD enum err fd_send_packet(int sock, struct span message, int pass_fd);
/** Receives one message of at most `cap` bytes. *out_fd is -1 or a new descriptor (O_CLOEXEC).
 * Errors: ERR_BUSY (nothing there), ERR_CLOSED, ERR_LIMIT (message longer than cap; dropped). */
NODISCARD enum err fd_recv_packet(int sock, void *p, size_t cap, size_t *out_n, int *out_fd);
