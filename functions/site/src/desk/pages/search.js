/** A search for people, kept in the address. It is sent when two characters at least are there, and typing pauses. */
import { useQuery } from "../router.js";
import { html, useEffect, useState } from "../ui.js";
import { t } from "../words.js";

const PAUSE = 300;

export function Search({ label }) {
  const [q, setQ] = useQuery("q");
  const [text, setText] = useState(q);
  useEffect(() => {
    const wanted = text.trim();
    if (wanted === q || wanted.length === 1) return undefined;
    const timer = setTimeout(() => setQ(wanted), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<div class="choice wide" role="search">
    <label
      >${label}
      <input type="search" value=${text} placeholder=${t.searchHint} onInput=${({ target }) => setText(target.value)}
    /></label>
  </div>`;
}
