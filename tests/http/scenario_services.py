"""Services by API, page and command line; routing by their names, as all workers see it at once."""
import json
import re

from harness import alert, alerts, same, together, true, uuid
from visitor import Visitor


def _new(box, name, token=None, **more):
    return box.api("POST", "/api/services", {"name": name, **more}, token).expect(201)


def _named(box, stem):
    """A name that no other scenario of this instance uses."""
    return "%s %d" % (stem, box.number("SELECT COALESCE(MAX(id), 0) FROM services"))


# ---- API ----

def service_from_birth_to_end(box):
    name = _named(box, "Shop")
    made = box.api("POST", "/api/services", {"name": name, "description": "where people buy", "aliases": [name + " store", name.upper()],
                                             "autoResolveMinutes": 90})
    same(made.header("location"), "/api/services/" + made.expect(201)["id"])
    made = made.json()
    same((made["name"], made["aliases"], made["autoResolveMinutes"], made["isDefault"], made["integrations"], made["openIncidents"]),
         (name, [name + " store"], 90, False, 0, 0))
    path = "/api/services/" + made["id"]
    same(box.get(path), made)
    seen = box.api("PATCH", path, {"autoResolveMinutes": None, "aliases": []}).expect(200)
    same((seen["name"], seen["aliases"], seen["autoResolveMinutes"], seen["description"]), (name, [], None, "where people buy"))
    source = box.integration("prometheus", serviceId=made["id"])
    incident = box.send(source, alerts(alert())).expect(201)["result"]["incident"]["id"]
    seen = box.get(path)
    same((seen["integrations"], seen["openIncidents"]), (1, 1))
    reply = box.api("DELETE", path)
    reply.expect(409, "conflict")
    true("1 integration and 1 unresolved incident use this service" in reply.json()["message"], reply.json()["message"])
    box.api("DELETE", "/api/integrations/" + source["id"])
    box.api("DELETE", path).expect(409, "conflict")
    box.api("POST", "/api/incidents/%s/resolve" % incident).expect(200)
    same(box.api("DELETE", path).status, 204)
    box.api("GET", path).expect(404, "not_found")
    box.api("DELETE", path).expect(404, "not_found")
    same(box.get("/api/incidents/" + incident)["serviceName"], name, "its incident keeps the name")
    same(_new(box, name)["name"], name, "the name is free again")
    same([r[0] for r in box.sql("SELECT action FROM audit_log WHERE object = '%s' ORDER BY id" % made["id"])],
         ["service.create", "service.update", "service.delete"])


def wrong_services_name_the_field(box):
    taken = _new(box, _named(box, "Taken"), aliases=[_named(box, "Also taken")])
    for body, status, field in (({}, 400, "name"), ({"name": ""}, 400, "name"), ({"name": "x" * 101}, 400, "name"), ({"name": "a\tb"}, 400, "name"),
                                ({"name": 5}, 400, "name"), ({"name": taken["name"].upper()}, 409, "name"),
                                ({"name": taken["aliases"][0]}, 409, "name"), ({"name": "n", "aliases": [taken["name"]]}, 409, "aliases"),
                                ({"name": "n", "aliases": "n"}, 400, "aliases"), ({"name": "n", "aliases": ["x" * 101]}, 400, "aliases"),
                                ({"name": "n", "aliases": ["a%d" % i for i in range(51)]}, 400, "aliases"),
                                ({"name": "n", "autoResolveMinutes": 0}, 400, "autoResolveMinutes"),
                                ({"name": "n", "autoResolveMinutes": 43201}, 400, "autoResolveMinutes"),
                                ({"name": "n", "description": "x" * 4097}, 400, "description"), ({"name": "n", "color": "red"}, 400, "color")):
        reply = box.api("POST", "/api/services", body)
        same((reply.status, reply.json().get("field")), (status, field), str(body)[:200])
        true(reply.json()["message"].endswith("."), "a sentence: %r" % reply.json()["message"])


def the_default_service_moves(box):
    token = box.new_token(tenant=box.new_tenant())
    old = box.get("/api/services", token)["services"][0]
    true(old["isDefault"], "a tenant begins with one")
    box.api("DELETE", "/api/services/" + old["id"], token=token).expect(409, "conflict")
    new = _new(box, "new", token)
    box.api("PATCH", "/api/services/" + old["id"], {"isDefault": False}, token).expect(409, "conflict", "isDefault")
    box.api("PATCH", "/api/services/" + new["id"], {"isDefault": True}, token).expect(200)
    same({s["name"]: s["isDefault"] for s in box.get("/api/services", token)["services"]}, {"new": True, "default": False})
    same(box.integration("webhook", token=token)["serviceId"], new["id"])
    same(box.api("DELETE", "/api/services/" + old["id"], token=token).status, 204)


def services_page_newest_first(box):
    token = box.new_token(tenant=box.new_tenant())
    made = [_new(box, "s%d" % i, token)["id"] for i in range(5)]
    seen, cursor = [], ""
    while True:
        page = box.get("/api/services?limit=2&q=s" + cursor, token)
        seen += [s["id"] for s in page["services"]]
        if not page["next"]:
            break
        cursor = "&cursor=" + page["next"]
    same(seen, made[::-1])
    for bad, field in (("limit=0", "limit"), ("cursor=incidents-3", "cursor"), ("color=red", "color")):
        box.api("GET", "/api/services?" + bad, token=token).expect(400, "invalid_request", field)


def another_tenants_service_does_not_exist(box):
    made, other = _new(box, _named(box, "Ours")), box.new_token(tenant=box.new_tenant())
    path = "/api/services/" + made["id"]
    for method, body in (("GET", None), ("PATCH", {"name": "mine"}), ("DELETE", None)):
        box.api(method, path, body, other).expect(404, "not_found")
    box.api("POST", "/api/integrations", {"name": "x", "type": "webhook", "serviceId": made["id"]}, other).expect(400, field="serviceId")
    for token in (box.new_token("viewer"), box.new_token("operator")):
        box.get(path, token)
        box.api("POST", "/api/services", {"name": "n"}, token).expect(403, "forbidden")


def changes_of_a_service_at_the_same_time_all_count(box):
    path = "/api/services/" + _new(box, _named(box, "Busy"))["id"]
    for n in range(10):
        wanted = {"description": "d%d" % n, "autoResolveMinutes": n + 1, "aliases": ["busy alias %d" % n]}
        for reply in together([lambda name=name: box.api("PATCH", path, {name: wanted[name]}) for name in wanted]):
            reply.expect(200)
        seen = box.get(path)
        same({name: seen[name] for name in wanted}, wanted)


def _service_of(box, source, name):
    """Where an event that names a service goes, by each worker."""
    incidents = [box.send(source, {"title": "x", "dedup_key": uuid(), "service": name}).expect(201)["result"]["incident"]["id"]
                 for _ in range(8)]
    return {box.get("/api/incidents/" + i)["serviceId"] for i in incidents}


def events_are_routed_by_names_that_change(box):
    own, name = _new(box, _named(box, "Own")), _named(box, "Routed")
    shop = _new(box, name, aliases=[name + " store"])
    source = box.integration("webhook", serviceId=own["id"], routeByService=True, rateLimitPerMinute=0)
    same(_service_of(box, source, name.lower()), {shop["id"]}, "by its name, without case")
    same(_service_of(box, source, name + " STORE"), {shop["id"]}, "by an alias")
    same(_service_of(box, source, name + " stall"), {own["id"]}, "an unknown name: the integration's own")
    path = "/api/services/" + shop["id"]
    box.api("PATCH", path, {"aliases": [name + " stall"]}).expect(200)
    same(_service_of(box, source, name + " stall"), {shop["id"]}, "a new alias is known at once")
    same(_service_of(box, source, name + " store"), {own["id"]}, "an old one no longer")
    box.sql("UPDATE incidents SET status = 3, open_hash = NULL WHERE service_id = (SELECT id FROM services WHERE public_id = '%s')" % shop["id"])
    same(box.api("DELETE", path).status, 204)
    same(_service_of(box, source, name), {own["id"]}, "a deleted service gets nothing")


def service_from_the_command_line(box):
    name = _named(box, "By hand")
    made = json.loads(box.ctl("--json", "service", "add", name, "--aliases", name + " a, " + name + " b", "--auto-resolve", "60"))
    same((made["aliases"], made["autoResolveMinutes"]), ([name + " a", name + " b"], 60))
    seen = json.loads(box.ctl("--json", "service", "set", name, "--name", name + "!", "--auto-resolve", "0", "--description", "what"))
    same((seen["id"], seen["name"], seen["autoResolveMinutes"], seen["description"], seen["aliases"]),
         (made["id"], name + "!", None, "what", made["aliases"]))
    true(name + "!" in box.ctl("service", "show", made["id"]), "the text shows it")
    box.ctl("service", "delete", name + "!", "--yes")
    box.api("GET", "/api/services/" + made["id"]).expect(404, "not_found")


# ---- pages ----

def a_service_is_made_changed_and_deleted_by_forms(box):
    person, name = Visitor(box), _named(box, "Page")
    person.page("/services/new")
    reply = person.post("/services", name="", description="kept <b>", aliases="one\r\ntwo", autoResolveMinutes="5")
    same(reply.status, 400)
    same((person.field("description"), person.field("aliases"), person.field("autoResolveMinutes")), ("kept <b>", "one\ntwo", "5"))
    true("<b>" not in re.search(r"<textarea.*?</textarea>", person.text, re.S).group(0), "as text")
    true(person.error().endswith("."), "the field says why")
    reply = person.post("/services", name=name, description="", aliases=name + " one\r\n\r\n " + name + " two ", autoResolveMinutes="")
    person.done(reply)
    path = person.at
    made = box.get("/api" + path)
    same((made["aliases"], made["autoResolveMinutes"]), ([name + " one", name + " two"], None))
    person.page("/services/new")
    same(person.post("/services", name=name.upper()).status, 409, "the name is taken")
    same(person.field("name"), name.upper())
    person.page(path + "/edit")
    same(person.field("aliases"), name + " one\n" + name + " two")
    person.done(person.post(path + "/edit", name=name + "!", description="d", aliases="", autoResolveMinutes="1440", isDefault="false"), path)
    seen = box.get("/api" + path)
    same((seen["name"], seen["aliases"], seen["autoResolveMinutes"]), (name + "!", [], 1440))
    true("1 day without an alert" in person.text, "minutes in words")
    source = box.integration("webhook", serviceId=made["id"])
    true("1 integration and 0 unresolved incidents use it." in person.page(path + "/delete"), "numbers")
    said = person.done(person.post(path + "/delete"), path)
    true(person.is_refused() and "Move the integrations" in said, said)
    box.api("DELETE", "/api/integrations/" + source["id"])
    person.page(path + "/delete")
    same(person.done(person.post(path + "/delete"), "/services"), "The service is deleted.")
    person.page(path, 404)
    person.page(path + "/edit", 404)


def services_are_listed_with_what_uses_them(box):
    tenant = box.new_tenant()
    token, person = box.new_token(tenant=tenant), Visitor(box, "viewer", tenant)
    shop = _new(box, "Shop", token, aliases=["store"], description="where people buy")
    box.send(box.integration("prometheus", token=token, serviceId=shop["id"]), alerts(alert())).expect(201)
    text = person.page("/services")
    true("New service" not in text and "/incidents?service=" + shop["id"] in text, "a viewer's list")
    true("Shop" in person.page("/services?q=sho") and "Nothing matches" in person.page("/services?q=zzz"), "filtered by name")
    person.page("/services?color=red", 400)
    same([s["name"] for s in person.get("/services.json").expect(200)["services"]], ["Shop", "default"])
    true(person.get("/services.csv").body.startswith(b"id,"), "CSV")
    text = person.page("/services/" + shop["id"])
    true("Disk of db1 is full" in text and "store" in text and "/edit" not in text, "what is wrong with it")
    stranger = Visitor(box, "admin", box.new_tenant())
    stranger.page("/services/" + shop["id"], 404)
    same(person.get("/services/new").status, 403)
