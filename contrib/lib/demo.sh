# demo.sh - sample sources, and a little traffic as their providers send it: signed, with times of now. To be sourced.
# shellcheck shell=bash

# demo_source TYPE [OPTION...]: makes it at the first time. What was shown that once is kept in the instance.
demo_source() {
	local file=$DATA/etc/demo-$1.json
	as_user test -s "$file" || grapnelctl --json integration add "$1" --name "demo $1" "${@:2}" | write_file "$file"
	SOURCE_ID=$(as_user cat "$file" | json_member id)
	SOURCE_KEY=$(as_user cat "$file" | json_member key)
	SOURCE_SECRET=$(as_user cat "$file" | json_member signatureSecret)
}

# The HMAC-SHA256 of standard input in hex.
demo_hmac() { openssl dgst -sha256 -hmac "$1" -r | cut -d' ' -f1; }

# demo_post PATH BODY HEADER...: the answer is 2xx, or the demo ends.
demo_post() {
	local url=$URL$1 body=$2 header headers=()
	shift 2
	for header in "$@"; do headers+=(-H "$header"); done
	curl -fsS -m 10 -o /dev/null -H 'Content-Type: application/json' "${headers[@]}" --data-binary "$body" "$url" ||
		die "a demo webhook was not taken by $url"
}

# demo_alert STATUS NAME FINGERPRINT SEVERITY SUMMARY STARTED ENDED
demo_alert() {
	printf '{"status":"%s","labels":{"alertname":"%s","instance":"db1:9100","job":"node","severity":"%s"},"annotations":{"summary":"%s"},"startsAt":"%s","endsAt":"%s","generatorURL":"http://prometheus.example/graph","fingerprint":"%s"}' \
		"$1" "$2" "$4" "$5" "$6" "$7" "$3"
}

demo_prometheus() {
	local now before never=0001-01-01T00:00:00Z disk load body
	demo_source prometheus
	now=$(date -u +%FT%TZ) before=$(date -u -d '5 minutes ago' +%FT%TZ)
	disk=$(demo_alert firing DiskFull 5d1f4c9a7e2b8036 critical 'Disk of db1 is full' "$before" $never)
	load=$(demo_alert firing HighLoad 90ab12cd34ef5678 warning 'Load of db1 is above 8' "$before" $never)
	for body in "$disk,$load" "$(demo_alert resolved HighLoad 90ab12cd34ef5678 warning 'Load of db1 is above 8' "$before" "$now")"; do
		demo_post "/api/integrations/prometheus/$SOURCE_ID" "{\"version\":\"4\",\"status\":\"firing\",\"receiver\":\"grapnel\",\"alerts\":[$body]}" \
			"Authorization: Bearer $SOURCE_KEY"
	done
}

demo_github() {
	local body
	demo_source github --generate-secret
	body='{"action":"completed","workflow":{"name":"CI"},"workflow_run":{"id":'$(date +%s)',"name":"CI","workflow_id":7,"head_branch":"main","status":"completed","conclusion":"failure","html_url":"https://github.com/octo/shop/actions/runs/1","head_repository":{"id":42}},"repository":{"id":42,"name":"shop","full_name":"octo/shop","html_url":"https://github.com/octo/shop"}}'
	demo_post "/api/integrations/github/$SOURCE_ID" "$body" 'X-GitHub-Event: workflow_run' "X-GitHub-Delivery: $(cat /proc/sys/kernel/random/uuid)" \
		"X-Hub-Signature-256: sha256=$(printf %s "$body" | demo_hmac "$SOURCE_SECRET")"
}

demo_stripe() {
	local body now
	demo_source stripe --generate-secret
	now=$(date +%s)
	body='{"id":"evt_'$(openssl rand -hex 12)'","object":"event","type":"charge.failed","created":'$now',"livemode":true,"data":{"object":{"id":"ch_demo","object":"charge","amount":4200,"currency":"eur"}}}'
	demo_post "/api/webhooks/stripe/$SOURCE_ID" "$body" "Stripe-Signature: t=$now,v1=$(printf %s "$now.$body" | demo_hmac "$SOURCE_SECRET")"
}

demo() {
	demo_prometheus
	demo_github
	demo_stripe
	say "sent sample webhooks of prometheus, github and stripe; keys and secrets are in $DATA/etc/demo-*.json"
}
