/* forms.js - posts every form that the walk saw, filled with what no person types: markup, far too much, nothing, broken UTF-8. A
 * refusal is a page with a sentence; nothing comes back as markup, leads to another host, or is our fault (5xx). It changes much, so it goes last. */
"use strict";

const assert = require("node:assert/strict");

const { Person } = require("./person");

const MARKUP = "<script>alert('form')</script>\"'&<img src=x onerror=alert(1)>";
const FILLINGS = {
	markup: encodeURIComponent(MARKUP),
	"too long": "x".repeat(5000),
	nothing: "",
	"broken bytes": "%ff%00%c0%af",
};
const LEAVES = ["/logout", "/login", "/account/sessions/end", "/account/sessions/:id/end", "/account/password"];	/* they end sessions */

/* Of a page, as they stand: {action, fields: [{name, typed, value}]}. */
function forms(page) {
	return page.locator("form[method=post]").evaluateAll(all => all.map(f => ({
		action: f.getAttribute("action"),		/* f.action may be a field of that name */
		fields: [...f.elements].filter(e => e.name).map(e => ({
			name: e.name,
			typed: e.name[0] !== "_" && (e.tagName === "TEXTAREA" || ["text", "search", "password", "email", "number"].includes(e.type)),
			value: e.value,
		})),
	})));
}

function body(form, filling) {
	return form.fields.map(f => `${encodeURIComponent(f.name)}=${f.typed ? filling : encodeURIComponent(f.value)}`).join("&");
}

/* Where to go afterwards: only here. */
const elsewhere = form => ({ ...form, fields: form.fields.map(f => ({ ...f, value: /^_(back|next|to)$/.test(f.name) ? "//other.example/" : f.value })) });

async function post(person, form, filling) {
	const csrf = form.fields.find(f => f.name === "_csrf");

	/* the session may be another than the one that saw the form */
	csrf.value = (await (await person.get("/account")).text()).match(/name="_csrf" value="([^"]+)"/)[1];
	let answer = await person.context.request.post(form.action, {
		headers: { "Content-Type": "application/x-www-form-urlencoded" },
		data: body(form, filling),
		maxRedirects: 0,
		maxRetries: 1,
	});
	const status = answer.status();
	if (status === 303) {
		assert.match(answer.headers().location, /^\/(?![/\\])/, "leads elsewhere");
		answer = await person.get(answer.headers().location);
	}
	return { status, shown: answer.status(), html: await answer.text() };
}

async function walkForms(world, report) {
	const person = await Person.arrive(world);

	await person.signIn();
	assert(world.forms.size > 20, `${world.forms.size} forms`);
	for (const [pattern, form] of world.forms)
		if (!LEAVES.includes(pattern))
			await report(`form ${pattern}`, async () => {
				for (const [name, filling] of Object.entries(FILLINGS)) {
					const got = await post(person, elsewhere(form), filling);

					assert([200, 303, 400, 404, 409].includes(got.status) && got.shown < 500, `${name}: ${got.status}, ${got.shown}`);
					assert(!/<script>\s*alert|<img src=x/.test(got.html), `${name} became markup`);
					assert(/<h1/.test(got.html), `${name}: no page`);
				}
			});
	await person.leave();
}

module.exports = { forms, walkForms };
