// Things asked of the daemon and kept a little while: details, diffs, logs. A part of the page names what it wants; it gets
// it, or learns that it is on its way or why it did not come.
import { useEffect, useState } from 'preact/hooks';

/** Answers kept; the one not used longest goes first. */
const KEPT = 96;

export type Asked<T> = { state: 'none' } | { state: 'asking' } | { state: 'here'; value: T } | { state: 'failed'; why: string };

const kept = new Map<string, unknown>();

function remember(key: string, value: unknown): void {
  kept.delete(key);
  kept.set(key, value);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value as string);
}

/** Asks once for what `key` names; an empty key asks for nothing. */
export function useAsked<T>(key: string, ask: () => Promise<T>): Asked<T> {
  const [, look] = useState(0);
  const [failure, setFailure] = useState<{ key: string; why: string } | null>(null);
  useEffect(() => {
    if (!key || kept.has(key)) return;
    let gone = false;
    ask()
      .then((value) => remember(key, value))
      .catch((problem: unknown) => {
        if (!gone) setFailure({ key, why: problem instanceof Error ? problem.message : String(problem) });
      })
      .finally(() => {
        if (!gone) look((times) => times + 1);
      });
    return () => {
      gone = true;
    };
  }, [key]);
  if (!key) return { state: 'none' };
  if (kept.has(key)) return { state: 'here', value: kept.get(key) as T };
  if (failure?.key === key) return { state: 'failed', why: failure.why };
  return { state: 'asking' };
}
