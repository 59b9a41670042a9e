# build.sh - the programs of an instance: copies the sources to DATA/src, builds in DATA/build, installs to PREFIX. To be
# sourced. The checkout is only read, so that instances side by side never touch it nor each other; unchanged sources
# are not built again.
# shellcheck shell=bash

# Lists the source files of a checkout or an unpacked tarball, without what a build in place may have left there.
source_files() {
	(cd "$1" && find . \( -name .git -o -name autom4te.cache -o -name .deps -o -name node_modules -o -name __pycache__ \
		-o -path ./build -o -path './build-*' -o -path './grapnel-*' \) -prune \
		-o -type f ! -name '*.[oa]' ! -name '*.log' ! -name '*.trs' ! -path './config.*' ! -path ./Makefile \
		! -path './tmpl.[ch]' ! -path ./web_assets.c ! -path ./tmplc ! -path ./embed \
		! -path ./Makefile.in ! -path ./aclocal.m4 ! -path './configure' ! -path './configure~' ! -path './stamp-h*' \
		-print) | LC_ALL=C sort
}

source_checksum() {
	(cd "$1" && source_files . | tr '\n' '\0' | xargs -0 sha256sum) | sha256sum | cut -d' ' -f1
}

# As the instance's user, who may be unable to read the checkout: the files go through a pipe.
source_copy() {
	as_user rm -rf "$DATA/src.new" "$DATA/src" "$DATA/build"
	as_user mkdir -p "$DATA/src.new" "$DATA/build"
	source_files "$TOP" | tar -C "$TOP" -cf - -T - | as_user tar -C "$DATA/src.new" -xf - --no-same-owner -m
	as_user mv "$DATA/src.new" "$DATA/src"
}

build_steps() {
	# shellcheck disable=SC2016
	as_user bash -euc '
		umask 022
		cd "$1/src" && autoreconf -fi
		cd "$1/build" && ../src/configure -q --prefix="$2"
		make -s -j"$3"
		make -s install' build "$DATA" "$PREFIX" "$(nproc)"
}

# Ready when PREFIX holds what the sources say.
build() {
	local want log=$DATA/log/build.log
	want=$(source_checksum "$TOP")
	[ "$(as_user cat "$PREFIX/built-from" 2>/dev/null)" != "$want" ] || return 0
	say "building (log: $log)"
	source_copy
	if ! build_steps 2>&1 | write_file "$log"; then
		as_user tail -n 30 "$log" >&2
		die "the build failed; all of it is in $log"
	fi
	printf '%s\n' "$want" | write_file "$PREFIX/built-from"
}
