/**
 * Whether this page is still the server's: it was served under a stamp, and a server with other files has another one.
 */

/** @returns {Promise<string | null>} `null` if the server cannot be asked */
async function ask() {
  try {
    const answer = await fetch("/api/version", { cache: "no-store" });
    return answer.ok ? (await answer.json()).stamp : null;
  } catch {
    return null;
  }
}

/** The stamp that this page was loaded under. */
const loaded = ask();

/** Whether the server has other files by now. */
export async function isOld() {
  const [before, now] = [await loaded, await ask()];
  return before !== null && now !== null && before !== now;
}
