/* SPDX-License-Identifier: MIT */
/* Tests of src/base/err.c. */
#include <errno.h>

#include "harness.h"

TEST(err, every_error_has_a_name_of_its_own)
{
	for (int i = 0; i <= ERR_UNSUPPORTED; i++) {
		EXPECT(strcmp(err_name((enum err)i), "unknown error") != 0);
		for (int k = 0; k < i; k++)
			EXPECT(strcmp(err_name((enum err)i), err_name((enum err)k)) != 0);
	}
	EXPECT_STR("unknown error", err_name((enum err)999));
}

TEST(err, errno_becomes_the_nearest_error)
{
	EXPECT_ERR(ERR_OK, err_from_errno(0));
	EXPECT_ERR(ERR_NOTFOUND, err_from_errno(ENOENT));
	EXPECT_ERR(ERR_ACCESS, err_from_errno(EACCES));
	EXPECT_ERR(ERR_NOSPACE, err_from_errno(ENOSPC));
	EXPECT_ERR(ERR_BUSY, err_from_errno(EAGAIN));
	EXPECT_ERR(ERR_CLOSED, err_from_errno(EPIPE));
	EXPECT_ERR(ERR_IO, err_from_errno(EIO));
	EXPECT_ERR(ERR_IO, err_from_errno(99999));
}

TEST(err, set_returns_the_error_and_cuts_long_text)
{
	struct err_info info;
	char text[1024];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	EXPECT_ERR(ERR_IO, err_set(&info, ERR_IO, EIO, "%s", text));
	EXPECT_I64(EIO, info.os_errno);
	EXPECT_U64(sizeof info.text - 1, strlen(info.text));
	EXPECT_ERR(ERR_BUSY, err_set(NULL, ERR_BUSY, 0, "nobody asks"));
}
