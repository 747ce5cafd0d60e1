/** The desk as an app on an agent's device: its service worker, what waits to be sent, and a newer version of it. */
import { openDialog } from "../dialog.js";
import { changes, forgetCollections, isOpen, needsCare, payments, tidy } from "../queue.js";
import { useStore } from "../router.js";
import { send } from "../sender.js";
import { scriptAddress } from "../trusted.js";
import { html, useEffect, useState } from "../ui.js";
import { t } from "../words.js";

/** How often what waits is tried, in milliseconds. */
const EVERY = 60_000;

/** Counts of a user's payments that wait, and that somebody has to deal with. */
function useCounts(user) {
  const turn = useStore(changes);
  const [counts, setCounts] = useState({ open: 0, care: 0 });
  useEffect(() => {
    payments(user).then(
      (list) => setCounts({ open: list.filter(isOpen).length, care: list.filter(needsCare).length }),
      (error) => console.warn(error),
    );
  }, [user.id, turn]);
  return counts;
}

/** A worker of a newer version that waits until the reader takes it. */
function useUpdate() {
  const [worker, setWorker] = useState(null);
  useEffect(() => {
    const container = navigator.serviceWorker;
    if (!container) return undefined;
    let isGone = false;
    const had = Boolean(container.controller);
    const reload = () => had && location.reload();
    container.addEventListener("controllerchange", reload);
    container.register(scriptAddress("/desk/sw.js"), { scope: "/desk" }).then(
      (registration) => {
        const look = () => !isGone && registration.waiting && container.controller && setWorker(registration.waiting);
        look();
        registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
      },
      (error) => console.warn(error),
    );
    return () => {
      isGone = true;
      container.removeEventListener("controllerchange", reload);
    };
  }, []);
  return worker;
}

/** The way to the queue, with what waits in it. */
export default function AppWay({ user, current }) {
  const { open, care } = useCounts(user);
  const update = useUpdate();
  useEffect(() => {
    const now = () => send(user);
    tidy(user).then(now, (error) => console.warn(error));
    const timer = setInterval(now, EVERY);
    addEventListener("online", now);
    document.addEventListener("visibilitychange", now);
    return () => {
      clearInterval(timer);
      removeEventListener("online", now);
      document.removeEventListener("visibilitychange", now);
    };
  }, [user.id]);
  const count = open + care;
  return html`<ul>
    <li>
      <a href="/desk/queue" aria-current=${current ? "page" : null}>
        <span>${t.nav.queue}</span> ${count > 0 && html`<span class="count">${count}<span class="hidden"> ${t.queue.waiting(open, care)}</span></span>`}
      </a>
    </li>
    ${update && html`<li><button type="button" class="primary" onClick=${() => update.postMessage("take over")}>${t.queue.update}</button></li>`}
  </ul>`;
}

/** Asks before a log-out while payments wait, and forgets the day's collections. Gives if the reader leaves. */
export async function leave(user) {
  const list = await payments(user).catch(() => []);
  const waiting = list.filter((it) => isOpen(it) || needsCare(it)).length;
  const isLeaving = waiting === 0 || (await ask(waiting));
  if (isLeaving) await forgetCollections(user).catch((error) => console.warn(error));
  return isLeaving;
}

function ask(waiting) {
  return new Promise((resolve) => {
    openDialog((close) => {
      const end = (answer) => () => {
        close();
        resolve(answer);
      };
      return html`<h2>${t.queue.leaveTitle}</h2>
        <p>${t.queue.leave(waiting)}</p>
        <div class="actions">
          <button type="button" onClick=${end(false)}>${t.queue.stay}</button>
          <button type="button" class="primary danger" onClick=${end(true)}>${t.nav.logOut}</button>
        </div>`;
    });
  });
}
