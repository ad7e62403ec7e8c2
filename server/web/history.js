// Undo and redo over immutable entries. An entry is a text and the document that it says.

const COALESCE_MS = 1200;
const MOST_ENTRIES = 400;

export const createHistory = (present) => ({ past: [], present, future: [], label: null, at: 0 });

/** Make `entry` the present. Changes of one label that follow each other quickly, such as typing, undo as one. */
export function record(history, entry, label, at) {
  const merges = label !== null && label === history.label && at - history.at < COALESCE_MS;
  const past = merges ? history.past : [...history.past, history.present].slice(-MOST_ENTRIES);
  return { past, present: entry, future: [], label, at };
}

export const canUndo = (history) => history.past.length > 0;
export const canRedo = (history) => history.future.length > 0;

export function undo(history) {
  if (!canUndo(history)) return history;
  const past = history.past.slice(0, -1);
  return { past, present: history.past.at(-1), future: [history.present, ...history.future], label: null, at: 0 };
}

export function redo(history) {
  if (!canRedo(history)) return history;
  const [present, ...future] = history.future;
  return { past: [...history.past, history.present], present, future, label: null, at: 0 };
}
