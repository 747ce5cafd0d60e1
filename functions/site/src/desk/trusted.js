/**
 * Scripts that the pages load by an address rather than by an import. The pages' policy trusts those alone that this
 * module names.
 */
const SCRIPTS = new Set([new URL("vendor/uPlot.iife.min.js", import.meta.url).pathname, "/desk/sw.js"]);

function trusted(address) {
  if (!SCRIPTS.has(address)) throw new TypeError(`${address} is no script of the desk`);
  return address;
}

const policy = globalThis.trustedTypes?.createPolicy("desk", { createScriptURL: trusted });

/** The address of a script, as the browser takes it. */
export const scriptAddress = (address) => (policy ? policy.createScriptURL(address) : trusted(address));

let plots = null;

/** The library of plots, which is fetched when a plot is first shown. */
export function loadPlots() {
  plots ??= new Promise((resolve, reject) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL("vendor/uPlot.min.css", import.meta.url).pathname;
    const script = document.createElement("script");
    script.src = scriptAddress(new URL("vendor/uPlot.iife.min.js", import.meta.url).pathname);
    script.addEventListener("load", () => resolve(globalThis.uPlot));
    script.addEventListener("error", () => {
      plots = null;
      reject(new Error("the library of plots was not loaded"));
    });
    document.head.append(style, script);
  });
  return plots;
}
