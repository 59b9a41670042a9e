# instance.sh - one instance under DATA: its folders, configuration, and four parts (database, grapnel, web server,
# cron), each held up by a keeper. To be sourced.
#
#	etc/ configuration   run/ sockets and pids   log/   db/ MariaDB's data   tmp/   prefix/ programs   src/ build/
#
# All is written by the instance's user and read through it: root follows no link and sources no file in here.
# shellcheck shell=bash

readonly SOCKET_PATH_MAX=107	# sun_path of unix(7) less its final NUL
# shellcheck disable=SC2034  # read by quickstart
readonly PARTS='db grapnel web cron'

# ---- files ----

# Standard input becomes the file, whole or not at all.
write_file() {
	# shellcheck disable=SC2016
	as_user bash -c 'umask 077; cat >"$1.new" && mv -f "$1.new" "$1"' write "$1"
}

# A random secret of 128 bits, made at the first call and kept in the file.
secret() {
	as_user test -s "$1" || openssl rand -hex 16 | write_file "$1"
	as_user cat "$1"
}

# ini_set FILE SECTION KEY VALUE
ini_set() {
	as_user cat "$1" | SECTION=$2 KEY=$3 VALUE=$4 awk '
		function put() { if (!done) print ENVIRON["KEY"] " = " ENVIRON["VALUE"]; done = 1 }
		/^\[/ { if (here) put(); here = ($0 == "[" ENVIRON["SECTION"] "]") }
		here { split($0, word, /[ \t]*=/); if (word[1] == ENVIRON["KEY"]) { put(); next } }
		{ print }
		END { if (!done) { if (!here) print "[" ENVIRON["SECTION"] "]"; put() } }' | write_file "$1"
}

# What `up` was told at an earlier time: setting NAME DEFAULT
setting() {
	local value
	value=$(as_user sed -n "s/^$1=//p" "$DATA/etc/instance" 2>/dev/null) || true
	printf '%s' "${value:-$2}"
}

# ---- folders ----

data_check() {
	case $DATA in
	*[!A-Za-z0-9._/+@:=-]*) die "$DATA: the path holds a character that configure and web servers cannot take; use A-Z a-z 0-9 . _ / + @ : = -" ;;
	esac
	local longest=$DATA/run/ingest.sock
	[ ${#longest} -le $SOCKET_PATH_MAX ] ||
		die "the socket $longest would have ${#longest} bytes, over $SOCKET_PATH_MAX, the most a Unix socket may have: choose a shorter --data"
}

data_make() {
	user_must_reach "$(dirname "$DATA")"	# before anything is made there
	if [ "$(id -u)" -eq 0 ]; then
		mkdir -p "$DATA"
		if [ -z "$(ls -A "$DATA")" ]; then
			chown "$RUN_USER:" "$DATA"
			chmod 750 "$DATA"
		fi
	else
		mkdir -p "$DATA" || die "cannot make $DATA"
	fi
	user_must_reach "$DATA"
	as_user test -O "$DATA" || die "$DATA belongs to $(stat -c %U "$DATA") and is not empty; choose another --data, or: chown $RUN_USER: $DATA"
	as_user mkdir -p "$DATA"/{etc,run,log,tmp}
}

# ---- configuration ----

# Megabytes for InnoDB's pages: an eighth of the memory, since web server and much else live on the same box; 256 to 2048.
pool_megabytes() {
	local mb
	mb=$(awk '/^MemTotal:/ { print int($2 / 8192) }' /proc/meminfo)
	[ "$mb" -ge 256 ] || mb=256
	[ "$mb" -le 2048 ] || mb=2048
	echo "$mb"
}

config_database() {
	local owner app root
	root=$(secret "$DATA/etc/root.password")
	owner=$(secret "$DATA/etc/owner.password")
	app=$(secret "$DATA/etc/app.password")
	write_file "$DATA/etc/my.cnf" <<-END
		# Private MariaDB of this instance. Durable: a commit is on disk when it is answered.
		[mariadbd]
		datadir = $DATA/db
		socket = $DATA/run/db.sock
		pid_file = $DATA/run/mariadbd.pid
		tmpdir = $DATA/tmp
		init_file = $DATA/etc/accounts.sql
		skip_networking
		skip_name_resolve
		skip_log_bin
		character_set_server = utf8mb4
		transaction_isolation = READ-COMMITTED
		max_connections = 200
		max_allowed_packet = 64M
		innodb_flush_log_at_trx_commit = 1
		innodb_doublewrite = 1
		innodb_buffer_pool_size = $(pool_megabytes)M
		innodb_log_file_size = 1G
		# The defaults are for one spinning disk: they let dirty pages pile up until a burst has to wait for them.
		innodb_io_capacity = 2000
		innodb_flush_neighbors = 0
		performance_schema = 0
	END
	# Run at each start of the server. The owner migrates; the programs only read and write rows.
	write_file "$DATA/etc/accounts.sql" <<-END
		DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');
		FLUSH PRIVILEGES;
		ALTER USER root@localhost IDENTIFIED BY '$root';
		CREATE DATABASE IF NOT EXISTS grapnel CHARACTER SET utf8mb4;
		CREATE USER IF NOT EXISTS grapnel_owner@localhost;
		ALTER USER grapnel_owner@localhost IDENTIFIED BY '$owner';
		GRANT ALL PRIVILEGES ON grapnel.* TO grapnel_owner@localhost;
		CREATE USER IF NOT EXISTS grapnel@localhost;
		ALTER USER grapnel@localhost IDENTIFIED BY '$app';
		GRANT SELECT, INSERT, UPDATE, DELETE ON grapnel.* TO grapnel@localhost;
	END
	printf '[client]\nsocket = %s\nuser = root\npassword = %s\n' "$DATA/run/db.sock" "$root" | write_file "$DATA/etc/root.cnf"
}

# The first start writes grapnel.conf; later ones change in it only what this command line says, and an address that an
# earlier port gave it. Nothing is changed where grapnelctl would refuse the result.
config_grapnel() {
	local conf=$DATA/etc/grapnel.conf new=$DATA/etc/grapnel.conf.next set key value
	as_user test -s "$conf" || config_first | write_file "$conf"
	as_user sed "s|^public_url = http://127\.0\.0\.1:[0-9]*\$|public_url = $URL|" "$conf" | write_file "$new"
	as_user grep -qxF '[spool]' "$new" || ini_set "$new" spool directory "$DATA/spool"
	[ -z "$WORKERS" ] || ini_set "$new" server ingest_workers "$WORKERS"
	for set in ${SETS[@]+"${SETS[@]}"}; do
		key=${set%%=*} value=${set#*=}
		ini_set "$new" "${key%%.*}" "${key#*.}" "$value"
	done
	as_user "$PREFIX/bin/grapnelctl" -c "$new" config print >/dev/null || die "the configuration stays as it was"
	as_user mv -f "$new" "$conf"
	as_user cat "$conf" | write_file "$DATA/etc/migrate.conf"
	ini_set "$DATA/etc/migrate.conf" database user grapnel_owner
	ini_set "$DATA/etc/migrate.conf" database password_file "$DATA/etc/owner.password"
}

config_first() {
	cat <<-END
		# This instance's configuration. Written by contrib/quickstart; yours to change. All options: grapnel.conf.sample
		[database]
		socket = $DATA/run/db.sock
		name = grapnel
		user = grapnel
		password_file = $DATA/etc/app.password

		[server]
		ingest_socket = $DATA/run/ingest.sock
		web_socket = $DATA/run/web.sock
		socket_mode = 0660
		state_file = $DATA/run/state
		public_url = $URL

		[secrets]
		key_file = $DATA/etc/secret.key

		[log]
		target = stderr

		[metrics]
		token = $(secret "$DATA/etc/metrics.token")
	END
}

# The shipped snippet with this instance's sockets, and around it the least that each server needs.
config_web() {
	sed "s|/run/grapnel/|$DATA/run/|g" "$CONTRIB/servers/$SERVER.conf" | write_file "$DATA/etc/grapnel-$SERVER.conf"
	"config_$SERVER" | write_file "$DATA/etc/$SERVER.conf"
}

config_lighttpd() {
	cat <<-END
		server.modules = ( "mod_accesslog" )
		server.bind = "127.0.0.1"
		server.port = $PORT
		server.document-root = "$DATA/run"
		server.upload-dirs = ( "$DATA/tmp" )
		server.errorlog = "$DATA/log/lighttpd.log"
		server.max-fds = 8192
		server.listen-backlog = 1024
		accesslog.filename = "$DATA/log/access.log"
		accesslog.format = "%h %t %m %U %s %b %{User-Agent}i"
		include "$DATA/etc/grapnel-lighttpd.conf"
	END
}

config_apache() {
	local module
	for module in mpm_event authz_core alias setenvif reqtimeout proxy proxy_fcgi; do
		printf 'LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n' "$module" "$module"
	done
	cat <<-END
		ServerRoot "$DATA"
		ServerName 127.0.0.1
		Listen 127.0.0.1:$PORT
		ListenBacklog 1024
		DocumentRoot "$DATA/run"
		DefaultRuntimeDir "$DATA/run"
		PidFile "$DATA/run/apache.pid"
		Mutex file:$DATA/run default
		ServerTokens Prod
		TraceEnable off
		ErrorLog "$DATA/log/apache.log"
		LogFormat "%h %t %m %U %>s %b \"%{User-Agent}i\"" grapnel
		SetEnvIf Request_URI "^/integrations/generic/" key-in-path
		CustomLog "$DATA/log/access.log" grapnel env=!key-in-path
		RequestReadTimeout header=20-40,MinRate=500 body=20,MinRate=500
		StartServers 2
		ThreadsPerChild 64
		MaxRequestWorkers 512
		ServerLimit 8
		Include "$DATA/etc/grapnel-apache.conf"
	END
}

# ---- parts ----

# Fills COMMAND, SIGNAL (which ends it gracefully), MARK (an argument that tells its process from all others), and STAMP
# (changes when the part must be started anew).
part() {
	case $1 in
	db)
		MARK=--defaults-file=$DATA/etc/my.cnf SIGNAL=TERM
		COMMAND=(/usr/sbin/mariadbd "$MARK")
		STAMP=$(stamp "$DATA/etc/my.cnf" "$DATA/etc/accounts.sql") ;;
	grapnel)
		MARK=$DATA/etc/grapnel.conf SIGNAL=TERM
		COMMAND=("$PREFIX/libexec/grapnel.fcgi" --config "$MARK" --foreground)
		STAMP=$(stamp "$MARK" "$PREFIX/libexec/grapnel.fcgi") ;;
	web)
		MARK=$DATA/etc/$SERVER.conf
		if [ "$SERVER" = lighttpd ]; then
			SIGNAL=INT COMMAND=(/usr/sbin/lighttpd -D -f "$MARK")
		else
			SIGNAL=WINCH COMMAND=(/usr/sbin/apache2 -DFOREGROUND -f "$MARK")
		fi
		STAMP=$(stamp "$MARK" "$DATA/etc/grapnel-$SERVER.conf") ;;
	cron)
		MARK=$DATA/etc/cron SIGNAL=TERM
		COMMAND=("$MARK" "$PREFIX/bin/grapnel-cron" -c "$DATA/etc/grapnel.conf")
		STAMP=$(stamp "$MARK" "$PREFIX/bin/grapnel-cron") ;;
	esac
}

stamp() { { as_user sha256sum "$@" 2>/dev/null || true; } | sha256sum | cut -d' ' -f1; }

# Prints the pid in the file if that process lives and has the argument: a number left from before a crash may be anybody's.
pid_of() {
	local pid
	pid=$(as_user cat "$1" 2>/dev/null) || return 1
	case $pid in '' | *[!0-9]*) return 1 ;; esac
	tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF -e "$2" || return 1
	printf '%s' "$pid"
}

keeper_pid() { pid_of "$DATA/run/$1.keeper" "$DATA/run/$1"; }
child_pid() { pid_of "$DATA/run/$1.pid" "$2"; }

# wait_until SECONDS COMMAND...
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt "$end" ] || return 1
		sleep 0.1
	done
}

# A zombie that its parent has yet to collect has no command line.
gone() { [ -z "$(tr -d '\0' 2>/dev/null <"/proc/$1/cmdline")" ]; }

# The shell's own kill: /bin/kill is in procps, which a minimal Debian lacks.
user_kill() {
	# shellcheck disable=SC2016
	as_user bash -c 'kill "$@"' kill "$@"
}

# stop_part NAME SECONDS: gracefully within the time, then by force.
stop_part() {
	local keeper child
	part "$1"
	keeper=$(keeper_pid "$1") || keeper=
	child=$(child_pid "$1" "$MARK") || child=
	[ -n "$keeper$child" ] || return 0
	if [ -n "$keeper" ]; then
		user_kill -s TERM "$keeper" || true
	else
		user_kill -s "$SIGNAL" "$child" || true	# its keeper was killed
	fi
	if ! wait_until "$2" gone "${keeper:-$child}"; then
		say "$1 did not end within $2 s; ending it by force"
		[ -z "$keeper" ] || user_kill -s KILL "$keeper" || true
		[ -z "$child" ] || user_kill -s KILL -- "-$child" || true
		wait_until 30 gone "${child:-$keeper}" || die "$1 cannot be stopped: pid ${child:-$keeper}"
	fi
	as_user rm -f "$DATA/run/$1.pid" "$DATA/run/$1.keeper" "$DATA/run/$1.stamp" "$DATA/run/$1.deaths"
}

# Environment that reaches grapnel.fcgi: the overrides of the manual, and what sanitizers read.
pass_environment() {
	local name
	for name in STRIPE_WEBHOOK_SECRET PAYPAL_WEBHOOK_ID INTEGRATION_VERIFY_SIGNATURES INTEGRATION_RATE_LIMIT \
		WEBHOOK_DEBUG WEBHOOK_MAX_DELIVERIES ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS; do
		[ -z "${!name+set}" ] || printf '%s=%s\n' "$name" "${!name}"
	done
}

# Leaves a part alone that runs with what the files say now; else it is started, or stopped and started.
start_part() {
	local name=$1 environment=()
	part "$name"
	if [ -n "$(keeper_pid "$name")" ] && [ "$(as_user cat "$DATA/run/$name.stamp" 2>/dev/null)" = "$STAMP" ]; then
		return 0
	fi
	stop_part "$name" 60
	[ "$name" != grapnel ] || mapfile -t environment < <(pass_environment)
	as_user ${environment[@]+"${environment[@]}"} setsid --fork "$DATA/etc/keeper" "$DATA/run/$name" "$SIGNAL" \
		"$DATA/log/$name.log" "${COMMAND[@]}" 9>&-
	wait_until 30 keeper_pid "$name" >/dev/null || die "$name: its keeper did not start"
	printf '%s\n' "$STAMP" | write_file "$DATA/run/$name.stamp"
}

# Whether the part died four times in a row within seconds of its start: waiting longer will not help.
part_broken() { [ "$(as_user cat "$DATA/run/$1.deaths" 2>/dev/null || echo 0)" -ge 4 ]; }

# part_wait NAME SECONDS WHAT COMMAND...: waits until the command succeeds, or ends with what the part's log says.
part_wait() {
	local name=$1 end=$((SECONDS + $2)) what=$3
	shift 3
	until "$@"; do
		if part_broken "$name"; then part_failed "$name" "$name does not stay up"; fi
		[ $SECONDS -lt "$end" ] || part_failed "$name" "$what"
		sleep 0.1
	done
}

# part_failed NAME SENTENCE: shows the end of its log and ends.
part_failed() {
	as_user tail -n 20 "$DATA/log/$1.log" >&2 || true
	die "$2; its log is $DATA/log/$1.log"
}

# ---- the database ----

db_sql() { as_user mariadb --defaults-file="$DATA/etc/root.cnf" --batch --skip-column-names "$@"; }
db_answers() { db_sql -e 'SELECT 1' >/dev/null 2>&1; }

db_make() {
	as_user test ! -d "$DATA/db" || return 0
	as_user rm -rf "$DATA/db.new"
	# --force: it looks up the host's name, which need not resolve. The folder gets its name when it is whole.
	if ! as_user mariadb-install-db --no-defaults --force --datadir="$DATA/db.new" --tmpdir="$DATA/tmp" --auth-root-authentication-method=normal \
		--skip-test-db --skip-name-resolve --innodb-log-file-size=1G 2>&1 | write_file "$DATA/log/install-db.log"; then
		as_user tail -n 20 "$DATA/log/install-db.log" >&2
		die "mariadb-install-db failed; its log is $DATA/log/install-db.log"
	fi
	as_user mv "$DATA/db.new" "$DATA/db"
}

db_start() {
	db_make
	start_part db
	part_wait db 90 "the database did not start" db_answers
}
