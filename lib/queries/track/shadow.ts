/** A method, whosever it is. */
export type Method = (this: unknown, ...given: unknown[]) => unknown;

/** Whether a method that shadows another is to do what the other does, and nothing else. */
export interface Status {
  isOver: boolean;
}

/**
 * Shadows a method of an object, if it has it and can be changed. Returns what takes that back; where somebody else has
 * shadowed ours in the meantime, it stays where it is.
 */
export function shadow(target: object, name: string, wrap: (original: Method, status: Status) => Method): () => void {
  const methods = target as Record<string, Method>;
  const original = methods[name];
  const before = Object.getOwnPropertyDescriptor(target, name);
  const isFixed = before ? !before.configurable : !Object.isExtensible(target);
  if (typeof original !== 'function' || isFixed) return () => {};
  const status = { isOver: false };
  const value = wrap(original, status);
  Object.defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
  return () => {
    status.isOver = true;
    if (methods[name] !== value) return;
    if (before) Object.defineProperty(target, name, before);
    else delete methods[name];
  };
}
