// The frames of `darwind.v1`, as PROTOCOL.md says them. Unknown kinds and fields are ignored, so that a newer daemon may
// add to them; anything that is no frame at all is null.
import type { LogRecord } from './records';

export interface RunHead {
  run_id: string;
  agent_id: string;
  state: string;
  started_at: number;
  evaluations: number;
  seq: number;
}

export interface Hello {
  t: 'hello';
  proto: number;
  epoch: string;
  seq: number;
  server: string;
  schema: string;
  caps: string[];
  role: Role;
  now: number;
  runs: RunHead[];
}

export type Role = 'operator' | 'viewer';

export interface Delta {
  t: 'd';
  id: string;
  run: string;
  from: number;
  to: number;
  ev: LogRecord[];
}

export interface SnapFrame {
  t: 'snap';
  id: string;
  run: string;
  epoch: string;
  seq: number;
  state: unknown;
}

export type ServerFrame =
  | Hello
  | Delta
  | SnapFrame
  | { t: 'resume'; id: string; run: string; epoch: string; from: number; to: number }
  | { t: 'gap'; id: string; run: string; from: number; to: number }
  | { t: 'runs'; id: string; runs: RunHead[] }
  | { t: 'ack'; id: string; ok: boolean; error?: string; seq?: number }
  | { t: 'pong'; now: number }
  | { t: 'err'; id?: string; code: string; message: string };

export interface CommandFrame {
  t: 'cmd';
  id: string;
  name: CommandName;
  run: string;
  args: { modification_id?: string; budget?: Record<string, number | null> };
  reason: string;
  expect_seq?: number;
  confirm?: string;
}

export type CommandName =
  | 'pause_evolution'
  | 'resume_evolution'
  | 'stop_evolution'
  | 'rollback_modification'
  | 'promote'
  | 'pin'
  | 'abort_evaluation'
  | 'set_budget';

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
