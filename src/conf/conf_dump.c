/* SPDX-License-Identifier: MIT */
/* The configuration as TOML: the same table that reads it writes it. */
#include "base/buf.h"
#include "conf/conf_keys.h"

/* A TOML basic string: quote, backslash and control characters escaped. */
static void add_string(struct buf *out, const char *s)
{
	buf_add_char(out, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_addf(out, "\\u%04X", c);
		else
			buf_add_char(out, (char)c);
	}
	buf_add_char(out, '"');
}

static void add_list(struct buf *out, const struct conf_list *list)
{
	buf_add_char(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			buf_add_str(out, ", ");
		add_string(out, list->items[i]);
	}
	buf_add_char(out, ']');
}

static const char *level_name(enum log_level level)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };

	return names[level];
}

static void add_value(struct buf *out, const struct conf *c, const struct conf_key *key)
{
	const void *field = (const char *)c + key->offset;

	switch (key->type) {
	case CONF_STRING:
		add_string(out, *(const char *const *)field);
		break;
	case CONF_PORT:
		buf_add_u64(out, *(const uint16_t *)field);
		break;
	case CONF_NUMBER:
		buf_add_u64(out, *(const uint32_t *)field);
		break;
	case CONF_BOOL:
		buf_add_str(out, *(const bool *)field ? "true" : "false");
		break;
	case CONF_LIST:
		add_list(out, field);
		break;
	case CONF_ENCODING:
		add_string(out, text_encoding_name(*(const enum text_encoding *)field));
		break;
	case CONF_LOG_LEVEL:
		add_string(out, level_name(*(const enum log_level *)field));
		break;
	}
}

static void add_comment(struct buf *out, const struct conf_key *key)
{
	struct span help = span_str(key->help);

	while (help.n) {
		struct span line = span_cut(&help, '\n');

		buf_add_str(out, "# ");
		buf_add(out, line);
		buf_add_char(out, '\n');
	}
	buf_addf(out, "# Default: %s", key->initial);
	if (key->type == CONF_NUMBER || key->type == CONF_PORT)
		buf_addf(out, "; from %u to %u%s%s", key->min, key->max, *key->unit ? " " : "",
			 key->unit);
	buf_add_str(out, ".\n");
}

void conf_dump(const struct conf *c, struct buf *out)
{
	struct span section = { NULL, 0 };

	buf_add_str(
		out,
		"# salver's configuration. Every key may also be set in the environment:\n"
		"# network.port is SALVER_NETWORK_PORT; lists are separated by colons there.\n");
	for (size_t i = 0; i < conf_keys_n; i++) {
		const struct conf_key *key = &conf_keys[i];
		struct span rest = span_str(key->name), name = span_cut(&rest, '.');

		if (!span_eq(name, section)) {
			buf_add_str(out, "\n[");
			buf_add(out, name);
			buf_add_str(out, "]\n");
			section = name;
		} else {
			buf_add_char(out, '\n');
		}
		add_comment(out, key);
		buf_add(out, rest);
		buf_add_str(out, " = ");
		if (c)
			add_value(out, c, key);
		else
			buf_add_str(out, key->initial);
		buf_add_char(out, '\n');
	}
}
