// Several pages of one person on one transcript: each sends its own changes only, and takes over those of pages that are closed.

import { newId } from "./changes.js";

const nameOf = (tab) => `tools-whisper-editor-${tab}`;

/** A name for this page, held as long as it is open. Without TLS the browser has no locks; then nobody is known to be open. */
export async function ownTab() {
  const tab = newId();
  await new Promise((resolve) => {
    if (!navigator.locks) return resolve();
    navigator.locks.request(nameOf(tab), () => {
      resolve();
      return new Promise(() => {});
    });
    return undefined;
  });
  return tab;
}

/** Tells of a tab's name whether that page is open now. */
export async function openTabs() {
  if (!navigator.locks) return () => false;
  const { held } = await navigator.locks.query();
  const names = new Set(held.map(({ name }) => name));
  return (tab) => names.has(nameOf(tab));
}
