/* SPDX-License-Identifier: MIT */
/* The C++ FlatBuffers library behind plain C: what our generated code is compared with. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

bool oracle_verify_media(const void *buf, size_t n);
bool oracle_verify_probe(const void *buf, size_t n);
uint32_t oracle_rows_n(const void *buf);
/** A scalar field of row i by name; for a vector of numbers its element k. */
uint64_t oracle_number(const void *buf, uint32_t i, const char *name, uint32_t k);
/** A string field, or element k of a vector of strings: bytes and length; NULL where absent. */
const char *oracle_string(const void *buf, uint32_t i, const char *name, uint32_t k, size_t *out_n);
/** Elements of a vector field. */
uint32_t oracle_count(const void *buf, uint32_t i, const char *name);
/** The same batch, built by the C++ FlatBufferBuilder. Returns its size. */
size_t oracle_rebuild(const void *buf, void *out, size_t cap);

#ifdef __cplusplus
}
#endif
