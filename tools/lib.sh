# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What tools/serve and tools/test share: the root of the tree, quiet builds, missing packages.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

say() {
	printf '%s\n' "$*" >&2
}

# Runs a command without its output; shows all of it where the command fails.
quietly() {
	local log status=0
	log=$(mktemp)
	"$@" >"$log" 2>&1 || status=$?
	[ "$status" -eq 0 ] || cat "$log" >&2
	rm -f "$log"
	return "$status"
}

# Runs as root: directly, or by sudo where there is one.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# install_packages LIST...: installs what these lists name and the machine does not have.
install_packages() {
	local wanted missing=() package
	command -v dpkg-query >/dev/null || {
		say "This is no Debian: make sure that what $* name is there."
		return 0
	}
	mapfile -t wanted < <(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@" | sort -u)
	for package in "${wanted[@]}"; do
		# Node.js from its makers brings npm along and conflicts with Debian's package of it.
		[ "$package" = npm ] && command -v npm >/dev/null && continue
		case $(dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null) in
		*"install ok installed"*) ;;
		*) missing+=("$package") ;;
		esac
	done
	[ "${#missing[@]}" -gt 0 ] || return 0

	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		die "these packages are missing: ${missing[*]}
Install them as root: apt-get install --no-install-recommends ${missing[*]}"
	fi
	say "Installing ${#missing[@]} packages: ${missing[*]}"
	quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get update ||
		die "apt-get update failed"
	quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y \
		--no-install-recommends "${missing[@]}" ||
		die "apt-get install failed"
}

# build_preset PRESET [CMAKE OPTION...]: configures and builds, nicely, on all cores.
build_preset() {
	local preset=$1
	shift
	say "Building $preset ..."
	(cd "$root" && quietly cmake --preset "$preset" "$@") || die "configuring $preset failed"
	(cd "$root" && quietly nice cmake --build --preset "$preset" -j "$(nproc)") ||
		die "building $preset failed"
}
