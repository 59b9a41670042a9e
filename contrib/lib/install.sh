# install.sh - what quickstart and check share: messages, Debian packages, the unprivileged user. To be sourced.
#
# Packages are programs for us, not services for the box: while apt runs, a policy-rc.d denies every start, and what is
# new is kept from starting at the next boot. The box's own policy-rc.d, if any, is put back whatever happens.
# shellcheck shell=bash

readonly POLICY=/usr/sbin/policy-rc.d
readonly POLICY_KEPT=/usr/sbin/policy-rc.d.kept-by-grapnel
readonly SERVICE_USER=grapnel

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Runs a command with root's rights.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		command -v sudo >/dev/null || die "this needs root's rights, and sudo is not installed: $*"
		sudo -- "$@"
	fi
}

# Names the packages of the given groups.
packages_of() {
	local group
	for group in "$@"; do
		awk -v g="$group" '$1 == g { for (i = 2; i <= NF; i++) print $i }' "$CONTRIB/packages"
	done
}

# Of the packages named, those that are not installed.
packages_missing() {
	local name state
	local -A installed=()
	while read -r name state; do
		case $state in *' installed') installed[$name]=yes ;; esac
	done < <(dpkg-query -W -f '${Package} ${Status}\n' "$@" 2>/dev/null)
	for name in "$@"; do
		[ -n "${installed[$name]-}" ] || printf '%s\n' "$name"
	done
}

policy_deny() {
	# A file of ours that is still there was left by a run that was killed: the kept one is the box's own.
	if [ -e "$POLICY" ] && ! grep -qs 'Grapnel' "$POLICY"; then
		as_root mv "$POLICY" "$POLICY_KEPT"
	fi
	printf '#!/bin/sh\n# Put here by Grapnel while it installs packages: no service starts.\nexit 101\n' |
		as_root tee "$POLICY" >/dev/null
	as_root chmod 755 "$POLICY"
}

policy_restore() {
	grep -qs 'Grapnel' "$POLICY" || return 0
	if [ -e "$POLICY_KEPT" ]; then
		as_root mv "$POLICY_KEPT" "$POLICY"
	else
		as_root rm -f "$POLICY"
	fi
}

installed_packages() { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | awk '$1 == "ii" { print $2 }' | sort; }

# The services of the packages named do not start at boot.
services_disable() {
	local package unit
	for package in "$@"; do
		for unit in $(dpkg -L "$package" 2>/dev/null | sed -n 's|^\(/usr\)\{0,1\}/lib/systemd/system/\([^/@]*\.service\)$|\2|p'); do
			as_root deb-systemd-helper disable "$unit" >/dev/null 2>&1 || true
			as_root update-rc.d "${unit%.service}" disable >/dev/null 2>&1 || true
		done
	done
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
		-o Dpkg::Use-Pty=0 "$@" </dev/null
}

# In a subshell, so that its traps put policy-rc.d back on every way out.
apt_install() (
	log=$(mktemp)
	trap 'policy_restore; rm -f "$log"' EXIT
	trap 'exit 130' INT TERM HUP
	policy_deny
	before=$(installed_packages)
	if ! { apt_get install -y --no-install-recommends "$@" ||
		{ apt_get update && apt_get install -y --no-install-recommends "$@"; }; } >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		die "apt-get could not install: $*"
	fi
	# shellcheck disable=SC2046  # package names hold no blanks
	services_disable $(comm -13 <(printf '%s\n' "$before") <(installed_packages))
)

# packages_need yes|no GROUP...: installs what is missing of the groups, or says what to install.
packages_need() {
	local install=$1 missing
	shift
	# shellcheck disable=SC2046
	missing=$(packages_missing $(packages_of "$@") | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null || die "this is no Debian; please install what corresponds to: $missing"
	[ "$install" = yes ] || die "missing packages; please run: apt-get install --no-install-recommends $missing"
	say "installing $missing"
	# shellcheck disable=SC2086
	apt_install $missing
}

# node_need yes|no: any Node from 18 on will do, also one that is not Debian's.
node_need() {
	if command -v node >/dev/null && command -v npm >/dev/null; then return 0; fi
	[ "$1" = yes ] || die "node and npm are missing; please run: apt-get install --no-install-recommends nodejs npm"
	say "installing nodejs npm"
	apt_install nodejs npm
}

# Started by root, everything runs as the system user; started by anybody else, as that user.
user_choose() {
	if [ "$(id -u)" -ne 0 ]; then
		RUN_USER=$(id -un)
		return
	fi
	RUN_USER=$SERVICE_USER
	getent passwd "$RUN_USER" >/dev/null ||
		useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$RUN_USER"
}

# Runs a command as that user, from / and with a clean environment. NAME=VALUE words may come first.
as_user() {
	local switch=()
	[ "$EUID" -ne 0 ] || switch=(setpriv "--reuid=$RUN_USER" "--regid=$RUN_USER" --init-groups --inh-caps=-all)
	${switch[@]+"${switch[@]}"} env -i -C / PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME="${DATA:-/}" LANG=C.UTF-8 "$@"
}

# Ends with a sentence unless the user can enter each folder of the path.
user_must_reach() {
	local path=$1 at='' part
	local IFS=/
	for part in ${path#/}; do
		at=$at/$part
		[ -e "$at" ] || return 0
		as_user test -x "$at" ||
			die "user $RUN_USER cannot enter $at: choose another folder, or open this one with: chmod o+x $at"
	done
}
