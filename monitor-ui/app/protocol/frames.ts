// The frames of `darwind.v1`, as PROTOCOL.md says them and the daemon's own types define them (`app/wire`). Unknown kinds and
// fields are ignored, so that a newer daemon may add to them; anything that is no frame at all is null.
import type { ClientFrame, ServerFrame } from '../wire/wire';

export type Frame<T extends ServerFrame['t']> = Extract<ServerFrame, { t: T }>;
export type CommandFrame = Extract<ClientFrame, { t: 'cmd' }>;

/** The version of the wire's words that this page was written for. */
export const SCHEMA = '1';

export function parseFrame(text: string): ServerFrame | null {
  try {
    const frame: unknown = JSON.parse(text);
    if (typeof frame !== 'object' || frame === null || !('t' in frame) || typeof frame.t !== 'string') return null;
    if (frame.t === 'd' && !('ev' in frame && Array.isArray(frame.ev))) return null;
    return frame as ServerFrame;
  } catch {
    return null;
  }
}
