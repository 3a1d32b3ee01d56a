// SPDX-License-Identifier: MIT
// The only C++ of the configuration: toml++ (header only) turned into the calls of toml_shim.h.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <new>
#include <string>
#include <vector>

extern "C" {
#include "conf/toml_shim.h"
}

namespace {

struct walk {
	enum err (*item)(void *, const toml_item *);
	void *ctx;
};

const char *type_name(const toml::node &node)
{
	switch (node.type()) {
	case toml::node_type::string: return "a string";
	case toml::node_type::integer: return "a whole number";
	case toml::node_type::floating_point: return "a number with a fraction";
	case toml::node_type::boolean: return "true or false";
	case toml::node_type::array: return "a list";
	default: return "a date or time";
	}
}

// A list counts as one of strings only when each element is one.
bool list_of_strings(const toml::array &array, std::vector<const char *> &out)
{
	for (const toml::node &element : array) {
		const auto *text = element.as_string();
		if (!text)
			return false;
		out.push_back(text->get().c_str());
	}
	return true;
}

enum err emit(const walk &w, const std::string &key, const toml::node &node)
{
	toml_item item{};
	std::vector<const char *> list;

	item.key = key.c_str();
	item.type = TOML_OTHER;
	item.type_name = type_name(node);
	item.line = node.source().begin.line;
	item.column = node.source().begin.column;
	if (const auto *text = node.as_string()) {
		item.type = TOML_STRING;
		item.string = text->get().c_str();
	} else if (const auto *number = node.as_integer()) {
		item.type = TOML_INTEGER;
		item.integer = number->get();
	} else if (const auto *truth = node.as_boolean()) {
		item.type = TOML_BOOLEAN;
		item.boolean = truth->get();
	} else if (const auto *array = node.as_array(); array && list_of_strings(*array, list)) {
		item.type = TOML_STRING_LIST;
		item.list = list.data();
		item.list_n = list.size();
	}
	return w.item(w.ctx, &item);
}

enum err walk_table(const walk &w, const std::string &prefix, const toml::table &table)
{
	std::vector<std::pair<const toml::key *, const toml::node *>> members;

	for (auto &&[key, node] : table)
		members.emplace_back(&key, &node);
	std::sort(members.begin(), members.end(), [](const auto &a, const auto &b) {
		return a.first->source().begin < b.first->source().begin;
	});
	for (const auto &[key, node] : members) {
		std::string name = prefix.empty() ? std::string(key->str())
						  : prefix + "." + std::string(key->str());
		const toml::table *inner = node->as_table();
		enum err e = inner ? walk_table(w, name, *inner) : emit(w, name, *node);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

} // namespace

extern "C" enum err toml_walk(const char *path, const char *text, size_t text_n,
			      enum err (*item)(void *, const toml_item *), void *ctx,
			      struct err_info *info)
try {
	toml::parse_result result = toml::parse(std::string_view(text, text_n), std::string_view(path));

	if (!result) {
		const toml::parse_error &error = result.error();
		return err_set(info, ERR_INVALID, 0, "%s:%u:%u: %.*s", path,
			       static_cast<unsigned>(error.source().begin.line),
			       static_cast<unsigned>(error.source().begin.column),
			       static_cast<int>(error.description().size()), error.description().data());
	}
	return walk_table(walk{ item, ctx }, "", result.table());
} catch (const std::bad_alloc &) {
	return err_set(info, ERR_NOMEM, 0, "%s: out of memory", path);
}
