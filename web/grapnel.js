/* grapnel.js - comfort only: every page and every action works without it.
 *
 * Copy buttons, fresh figures, lists that follow what one types into their filter, keys: j k Enter through a list, a and r for
 * acknowledge and resolve, / to the filter. Nothing is written into a page but text and parts of our own pages. */
"use strict";

/* ---- what is added to a page, and to each part that is fetched later ---- */

function addCopy(field) {
	const button = document.createElement("button");
	button.type = "button";
	button.className = "btn small";
	button.textContent = "Copy";
	button.addEventListener("click", async () => {
		try {
			await navigator.clipboard.writeText(field.value ?? field.textContent);
			button.textContent = "Copied";
		} catch {	/* no https, no clipboard: select it, so that Ctrl+C does */
			getSelection().selectAllChildren(field);
			button.textContent = "Press Ctrl+C";
		}
		setTimeout(() => { button.textContent = "Copy"; }, 2000);
	});
	field.after(button);
}

/* One box for all: <input type="checkbox" data-all="name" hidden>. */
function addAll(all) {
	all.hidden = false;
	all.addEventListener("change", () => {
		for (const box of document.querySelectorAll(`input[name="${all.dataset.all}"]`))
			box.checked = all.checked;
	});
}

function addComfort(part) {
	part.querySelectorAll("[data-copy]").forEach(addCopy);
	part.querySelectorAll("[data-all]").forEach(addAll);
}

addComfort(document);

/* ---- a page of ours, fetched: null when there is none, false when one is no longer signed in ---- */

async function load(url, why) {
	try {
		const answer = await fetch(url, { headers: { "X-Requested-With": why } });
		if (answer.redirected || answer.status === 401)
			return false;
		const page = new DOMParser().parseFromString(await answer.text(), "text/html");
		return page.getElementById("main") ? page : null;
	} catch {
		return null;
	}
}

/* ---- fresh figures: <section id="x" data-refresh="15"> is replaced by that of the same page ---- */

function inUse(part) {
	const selection = getSelection();
	return part.contains(document.activeElement) || (!selection.isCollapsed && part.contains(selection.anchorNode));
}

async function refresh(seconds) {
	if (!document.querySelector("[data-refresh]"))
		return;		/* what was waited for has come */
	const page = document.visibilityState === "visible" ? await load(location.href, "refresh") : null;
	if (page === false)
		return;
	for (const old of page ? document.querySelectorAll("[data-refresh], .top .count") : []) {
		const part = old.id ? page.getElementById(old.id) : page.querySelector(old.closest(".menu") ? ".menu .count" : ".nav .count");
		if (!part || inUse(old))
			continue;
		old.replaceWith(part);
		addComfort(part);
	}
	setTimeout(refresh, seconds * 1000, seconds);
}

const refreshed = document.querySelector("[data-refresh]");
if (refreshed) {
	const seconds = Math.max(2, Number(refreshed.dataset.refresh));
	setTimeout(refresh, seconds * 1000, seconds);
}

/* ---- a list follows its filter while one types; no empty parameters stay in the URL ---- */

for (const form of document.querySelectorAll("form.filters")) {
	let timer, asked = 0;

	form.addEventListener("formdata", (event) => {
		for (const [name, value] of [...event.formData])
			if (!value)
				event.formData.delete(name);
	});
	if (form.parentElement.id !== "main")
		continue;
	form.addEventListener("input", () => {
		clearTimeout(timer);
		timer = setTimeout(async () => {
			const mine = ++asked, query = new URLSearchParams(new FormData(form)).toString();
			const url = form.getAttribute("action") + (query && "?" + query);
			const page = await load(url, "filter"), fresh = page && page.querySelector("main > form.filters");
			if (!fresh || mine !== asked)
				return;
			history.replaceState(null, "", url);
			form.querySelector("a.plain")?.remove();
			form.querySelector("[type=submit]").after(fresh.querySelector("a.plain") ?? "");
			document.querySelector("main > .chips")?.replaceWith(page.querySelector("main > .chips") ?? "");
			while (form.nextSibling)
				form.nextSibling.remove();
			while (fresh.nextSibling)
				form.parentElement.append(fresh.nextSibling);
			addComfort(form.parentElement);
		}, 250);
	});
}

/* ---- keys ---- */

function move(step) {
	const rows = [...document.querySelectorAll("table.rows tbody tr")], old = rows.findIndex((r) => r.classList.contains("cursor"));
	const row = rows[Math.min(rows.length - 1, Math.max(0, old + step))];
	rows[old]?.classList.remove("cursor");
	row?.classList.add("cursor");
	row?.querySelector("a")?.focus();
}

/* A button of the page; of a list with boxes, for the row where j and k have come to if none is ticked. */
function press(key) {
	const button = document.querySelector(`[data-key="${key}"]`), box = document.querySelector("tr.cursor input[type=checkbox]");
	if (box && !document.querySelector("td input[type=checkbox]:checked"))
		box.checked = true;
	button?.click();
}

document.addEventListener("keydown", (event) => {
	if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, textarea, select"))
		return;
	switch (event.key) {
	case "j": move(1); break;
	case "k": move(-1); break;
	case "a":
	case "r": press(event.key); break;
	case "/": document.querySelector("input[type=search]")?.focus(); event.preventDefault(); break;
	}
});
