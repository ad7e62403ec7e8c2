// The state of a page: one value, changed only by a pure function of it and an action.

/** `reduce(state, action)` gives the next state. Listeners are called after every change. */
export function createStore(reduce, initial) {
  let state = initial;
  const listeners = [];
  return {
    get state() {
      return state;
    },
    dispatch(action) {
      const next = reduce(state, action);
      if (next === state) return;
      const before = state;
      state = next;
      for (const listener of listeners) listener(state, before);
    },
    subscribe(listener) {
      listeners.push(listener);
    },
  };
}
