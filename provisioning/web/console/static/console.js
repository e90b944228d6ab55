"use strict";
// Everything works without this file; with it, times are those of whoever looks, texts can be copied, and a session
// that ends soon says so.

const near = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };
const inMyZone = new Intl.DateTimeFormat(undefined, near);

function dress(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = inMyZone.format(new Date(time.dateTime));
  }
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = !navigator.clipboard;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const label = button.textContent;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = label; }, 1500);
});

// Counts by the clock that runs while the machine sleeps, from what the server said was left.
function watchSession(countdown) {
  const clock = countdown.querySelector(".clock");
  const ending = document.getElementById("ending");
  let end = Date.now() + Number(countdown.dataset.seconds) * 1000;
  let asking = false;

  const left = () => Math.max(0, Math.round((end - Date.now()) / 1000));

  function show() {
    const seconds = left();
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    ending.hidden = seconds > 120;
  }

  async function ask(method) {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch("/console/-/session", { method });
      if (answer.status === 401) return location.reload();
      if (answer.ok) end = Date.now() + (await answer.json()).seconds * 1000;
    } catch {
      // The next tick asks again.
    } finally {
      asking = false;
      show();
    }
  }

  // Another tab may have been active: the server knows, and asking it is no activity.
  setInterval(() => { show(); if (left() === 0) ask("GET"); }, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask("GET"); });
  document.getElementById("stay")?.addEventListener("click", () => ask("POST"));
  show();
}

// What a page asks for by itself and does not get, it says; the button that asks for it is there.
document.addEventListener("htmx:error", (event) => {
  event.target.querySelector?.("[data-unanswered]")?.removeAttribute("hidden");
});
document.addEventListener("htmx:after:swap", () => dress(document));
dress(document);
const countdown = document.querySelector(".countdown");
if (countdown) watchSession(countdown);
