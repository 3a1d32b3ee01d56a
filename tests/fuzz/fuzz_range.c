/* SPDX-License-Identifier: MIT */
/* Whatever a Range header says, what is served lies inside the file. */
#include "base/num.h"
#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 8)
		return 0;
	uint64_t size = num_le64(data) >> (data[0] & 63);
	struct range r;
	if (range_parse(span_of(data + 8, n - 8), size, &r) == ERR_OK)
		ASSERT(r.first <= r.last && r.last < size);
	return 0;
}
