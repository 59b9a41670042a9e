/* grapnel.js - comfort only: every page and every action works without it.
 *
 * Copy buttons, fresh figures on the overview, keys (j k Enter through a list, a and r for acknowledge and resolve, / to the
 * filter), rows that filter as one types. Nothing is written into a page but text and parts of our own pages. */
"use strict";

/* ---- copy ---- */

for (const field of document.querySelectorAll("[data-copy]")) {
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

/* ---- fresh figures: <section id="x" data-refresh="15"> is replaced by that of the same page, fetched again ---- */

async function refresh(seconds) {
	if (document.visibilityState === "visible") {
		try {
			const answer = await fetch(location.href, { headers: { "X-Requested-With": "refresh" } });
			if (!answer.ok || answer.redirected)
				return;		/* signed out: leave it as it is */
			const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
			for (const old of document.querySelectorAll("[data-refresh]")) {
				const section = fresh.getElementById(old.id);
				if (section && !old.contains(document.activeElement))
					old.replaceWith(section);
			}
		} catch {	/* the server is away: the next time */
		}
	}
	setTimeout(refresh, seconds * 1000, seconds);
}

const refreshed = document.querySelector("[data-refresh]");
if (refreshed) {
	const seconds = Math.max(5, Number(refreshed.dataset.refresh));
	setTimeout(refresh, seconds * 1000, seconds);
}

/* ---- keys ---- */

let row = -1;

function move(step) {
	const rows = [...document.querySelectorAll("table.rows tbody tr")].filter((r) => !r.hidden);
	if (!rows.length)
		return;
	rows[row]?.classList.remove("cursor");
	row = Math.min(rows.length - 1, Math.max(0, row + step));
	rows[row].classList.add("cursor");
	rows[row].querySelector("a")?.focus();
}

function press(key) {
	const button = document.querySelector(`[data-key="${key}"]`);
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

/* ---- filter as you type: <input data-filter="#id"> hides what does not hold the text ---- */

for (const input of document.querySelectorAll("[data-filter]")) {
	input.addEventListener("input", () => {
		const text = input.value.trim().toLowerCase();
		for (const item of document.querySelectorAll(input.dataset.filter + " > *"))
			item.hidden = !item.textContent.toLowerCase().includes(text);
	});
}

/* ---- one box for all: <input type="checkbox" data-all="name"> ---- */

for (const all of document.querySelectorAll("[data-all]")) {
	all.hidden = false;
	all.addEventListener("change", () => {
		for (const box of document.querySelectorAll(`input[name="${all.dataset.all}"]`))
			box.checked = all.checked;
	});
}

/* ---- a filter leaves no empty parameters in the URL ---- */

for (const form of document.querySelectorAll("form.filters"))
	form.addEventListener("formdata", (event) => {
		for (const [name, value] of [...event.formData])
			if (!value)
				event.formData.delete(name);
	});
