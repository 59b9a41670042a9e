/* routes.c - every page and every form of the dashboard, and what it needs.
 *
 * How to add: a handler in the file of its subject, declared in that subject's header, and a row here. A role is enough for a
 * page; a POST is checked for its CSRF token by the gates. */
#include "account.h"
#include "audit.h"
#include "channels.h"
#include "dash_int.h"
#include "events.h"
#include "incidents.h"
#include "integrations.h"
#include "jobs.h"
#include "login.h"
#include "monitor.h"
#include "overview.h"
#include "requests.h"
#include "retention.h"
#include "services.h"
#include "users.h"

const struct route dash_routes[] = {
	{ "GET", "/", ROLE_VIEWER, page_overview, "Is everything all right?" },
	{ "GET", "/hour/:source/:hour", ROLE_VIEWER, page_hour, "An hour of a source." },
	{ "GET", "/assets/:hash/:name", NEED_OPEN, asset_get, "Style sheet, script, icon." },
	{ "GET", "/incidents", ROLE_VIEWER | CAN_EXPORT, page_incidents, "Incidents by status, service, person." },
	{ "POST", "/incidents/select", ROLE_OPERATOR, page_incidents_select, "What doing it to those ticked means." },
	{ "POST", "/incidents/bulk", ROLE_OPERATOR, page_incidents_bulk, "Acknowledges or resolves many." },
	{ "GET", "/incidents/:id", ROLE_VIEWER, page_incident, "One incident with its story." },
	{ "POST", "/incidents/:id/acknowledge", ROLE_OPERATOR, page_incident_acknowledge, "Somebody takes care." },
	{ "POST", "/incidents/:id/resolve", ROLE_OPERATOR, page_incident_resolve, "It is over." },
	{ "POST", "/incidents/:id/reopen", ROLE_OPERATOR, page_incident_reopen, "It is not over." },
	{ "POST", "/incidents/:id/notes", ROLE_OPERATOR, page_incident_note, "A note in its timeline." },
	{ "POST", "/incidents/:id/assign", ROLE_OPERATOR, page_incident_assign, "Who takes care." },
	{ "POST", "/incidents/:id/snooze", ROLE_OPERATOR, page_incident_snooze, "Quiet for a while." },
	{ "GET", "/integrations", ROLE_VIEWER | CAN_EXPORT, page_integrations, "Integrations and how they fare." },
	{ "GET", "/integrations/new", ROLE_ADMIN, page_integration_gallery, "Which type?" },
	{ "GET", "/integrations/new/:type", ROLE_ADMIN, page_integration_new, "Form of a new one." },
	{ "POST", "/integrations/new/:type", ROLE_ADMIN, page_integration_new, "Makes it." },
	{ "GET", "/integrations/:id", ROLE_VIEWER, page_integration, "One integration." },
	{ "GET", "/integrations/:id/setup", ROLE_VIEWER, page_integration_setup, "Steps at the provider, and what came of them." },
	{ "POST", "/integrations/:id/secret", ROLE_ADMIN, page_integration_secret, "Takes the secret that the provider made." },
	{ "POST", "/integrations/:id/received-secret", ROLE_ADMIN, page_integration_received_secret, "Shows once the secret that the provider sent." },
	{ "POST", "/integrations/:id/key", ROLE_ADMIN, page_integration_key, "Shows the key once." },
	{ "GET", "/integrations/:id/edit", ROLE_ADMIN, page_integration_edit, "Form of a change." },
	{ "POST", "/integrations/:id/edit", ROLE_ADMIN, page_integration_edit, "Changes it." },
	{ "POST", "/integrations/:id/enable", ROLE_ADMIN, page_integration_enable, "Switches it on." },
	{ "POST", "/integrations/:id/disable", ROLE_ADMIN, page_integration_disable, "Switches it off." },
	{ "GET", "/integrations/:id/rotate-key", ROLE_ADMIN, page_integration_rotate_key, "What rotating the key means." },
	{ "POST", "/integrations/:id/rotate-key", ROLE_ADMIN, page_integration_rotate_key, "Makes a new key." },
	{ "GET", "/integrations/:id/rotate-secret", ROLE_ADMIN, page_integration_rotate_secret, "What rotating the secret means." },
	{ "POST", "/integrations/:id/rotate-secret", ROLE_ADMIN, page_integration_rotate_secret, "Makes a new secret." },
	{ "POST", "/integrations/:id/send-test", ROLE_ADMIN, page_integration_send_test, "Sends its test webhook." },
	{ "GET", "/integrations/:id/tests/:request", ROLE_VIEWER, page_integration_tested, "What came of a test webhook." },
	{ "GET", "/integrations/:id/delete", ROLE_ADMIN, page_integration_delete, "What deleting it means." },
	{ "POST", "/integrations/:id/delete", ROLE_ADMIN, page_integration_drop, "Deletes it." },
	{ "GET", "/services", ROLE_VIEWER | CAN_EXPORT, page_services, "What can break." },
	{ "POST", "/services", ROLE_ADMIN, page_service_create, "Makes a service." },
	{ "GET", "/services/new", ROLE_ADMIN, page_service_new, "The form of a new service." },
	{ "GET", "/services/:id", ROLE_VIEWER, page_service, "One service: its incidents, integrations, names." },
	{ "GET", "/services/:id/edit", ROLE_ADMIN, page_service_edit, "The form of a service." },
	{ "POST", "/services/:id/edit", ROLE_ADMIN, page_service_change, "Changes a service." },
	{ "GET", "/services/:id/delete", ROLE_ADMIN, page_service_delete, "What deleting it means." },
	{ "POST", "/services/:id/delete", ROLE_ADMIN, page_service_drop, "Deletes a service." },
	{ "GET", "/channels", ROLE_VIEWER | CAN_EXPORT, page_channels, "Where people and programs are told of things." },
	{ "GET", "/channels/new", ROLE_ADMIN, page_channel_kinds, "Which kind?" },
	{ "GET", "/channels/new/:kind", ROLE_ADMIN, page_channel_new, "Form of a new one." },
	{ "POST", "/channels/new/:kind", ROLE_ADMIN, page_channel_create, "Makes it." },
	{ "GET", "/channels/:id", ROLE_VIEWER, page_channel, "One channel, and what it was told last." },
	{ "GET", "/channels/:id/deliveries", ROLE_VIEWER | CAN_EXPORT, page_channel_deliveries, "All that it was told." },
	{ "GET", "/channels/:id/deliveries/:delivery", ROLE_VIEWER, page_channel_delivery, "A message with its attempts." },
	{ "POST", "/channels/:id/test", ROLE_ADMIN, page_channel_test, "Sends it a test message." },
	{ "GET", "/channels/:id/edit", ROLE_ADMIN, page_channel_edit, "The form of a channel." },
	{ "POST", "/channels/:id/edit", ROLE_ADMIN, page_channel_change, "Changes a channel." },
	{ "GET", "/channels/:id/delete", ROLE_ADMIN, page_channel_delete, "What deleting it means." },
	{ "POST", "/channels/:id/delete", ROLE_ADMIN, page_channel_drop, "Deletes a channel." },
	{ "GET", "/login", NEED_GUEST, page_login, "Signing in." },
	{ "POST", "/login", NEED_GUEST, page_login_post, "Name and password, then a code where an app is set up." },
	{ "POST", "/logout", ROLE_VIEWER, page_logout_post, "Signing out." },
	{ "GET", "/account", ROLE_VIEWER, page_account, "One's own password, authenticator app, sessions and API tokens." },
	{ "POST", "/account/password", ROLE_VIEWER, page_account_password_post, "A new password." },
	{ "GET", "/account/sessions/end", ROLE_VIEWER, page_account_sessions_end, "Asks before all other sessions end." },
	{ "POST", "/account/sessions/end", ROLE_VIEWER, page_account_sessions_end_post, "Ends all other sessions." },
	{ "GET", "/account/sessions/:id/end", ROLE_VIEWER, page_account_session_end, "Asks before a session ends." },
	{ "POST", "/account/sessions/:id/end", ROLE_VIEWER, page_account_session_end_post, "Ends a session." },
	{ "POST", "/account/tokens", ROLE_VIEWER, page_account_token_post, "A new API token." },
	{ "GET", "/account/tokens/:token/revoke", ROLE_VIEWER, page_token_revoke, "Asks before a token is revoked." },
	{ "POST", "/account/tokens/:token/revoke", ROLE_VIEWER, page_token_revoke_post, "Revokes a token." },
	{ "POST", "/account/totp", ROLE_VIEWER, page_account_totp_post, "Begins to set up an authenticator app." },
	{ "POST", "/account/totp/confirm", ROLE_VIEWER, page_account_totp_confirm_post, "The first code: the app is in force." },
	{ "POST", "/account/totp/cancel", ROLE_VIEWER, page_account_totp_cancel_post, "Drops an app that was not confirmed." },
	{ "POST", "/account/totp/end", ROLE_VIEWER, page_account_totp_end_post, "Removes the app, with the password." },
	{ "GET", "/users", ROLE_ADMIN | CAN_EXPORT, page_users, "Users of the tenant." },
	{ "POST", "/users", ROLE_ADMIN, page_user_new_post, "Makes a user." },
	{ "GET", "/users/new", ROLE_ADMIN, page_user_new, "The form of a new user." },
	{ "GET", "/users/:id", ROLE_ADMIN, page_user, "One user." },
	{ "POST", "/users/:id", ROLE_ADMIN, page_user_details_post, "Changes email and role." },
	{ "POST", "/users/:id/password", ROLE_ADMIN, page_user_password_post, "Sets a new password." },
	{ "GET", "/users/:id/disable", ROLE_ADMIN, page_user_disable, "Asks before a user is disabled." },
	{ "POST", "/users/:id/disable", ROLE_ADMIN, page_user_disable_post, "Disables a user." },
	{ "POST", "/users/:id/enable", ROLE_ADMIN, page_user_enable_post, "Enables a user again." },
	{ "GET", "/users/:id/totp-reset", ROLE_ADMIN, page_user_totp_reset, "Asks before the app of a user is removed." },
	{ "POST", "/users/:id/totp-reset", ROLE_ADMIN, page_user_totp_reset_post, "Removes the authenticator app of a user." },
	{ "GET", "/users/:id/tokens/:token/revoke", ROLE_ADMIN, page_token_revoke, "Asks before a token of a user is revoked." },
	{ "POST", "/users/:id/tokens/:token/revoke", ROLE_ADMIN, page_token_revoke_post, "Revokes a token of a user." },
	{ "GET", "/audit", ROLE_ADMIN | CAN_EXPORT, page_audit, "Who changed what." },
	{ "GET", "/requests", ROLE_VIEWER | CAN_EXPORT, page_requests, "Everything that came in." },
	{ "GET", "/requests/:id", ROLE_VIEWER, page_request, "One request." },
	{ "GET", "/requests/:id/payload", ROLE_VIEWER, page_request_payload, "Its body as a file." },
	{ "GET", "/events", ROLE_VIEWER | CAN_EXPORT, page_events, "What the providers told." },
	{ "GET", "/events/:id", ROLE_VIEWER, page_event, "One event." },
	{ "GET", "/events/:id/payload", ROLE_VIEWER, page_event_payload, "The body of its request as a file." },
	{ "GET", "/monitor", ROLE_VIEWER, page_monitor, "Is our own work all right?" },
	{ "GET", "/monitor/alerts", ROLE_VIEWER | CAN_EXPORT, page_monitor_alerts, "When it was not." },
	{ "GET", "/jobs", ROLE_VIEWER | CAN_EXPORT, page_jobs, "What cron does, and when it did." },
	{ "GET", "/retention", ROLE_ADMIN, page_retention, "How long things are kept." },
	{ "POST", "/retention", ROLE_ADMIN, page_retention_post, "Changes how long events are kept." },
	{ "POST", "/jobs/:name/run", ROLE_ADMIN, page_job_run, "Runs a job now." },
	{ 0 }
};
