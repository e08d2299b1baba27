// What is asked for by plain HTTP under the same session: candidates, diffs, files, pages of events. Every failure becomes
// a sentence that a person can act on.
import type { Artifacts, Candidate, Difference, Events, Problem as ProblemDocument, Session, Told } from '../wire/wire';

/** A candidate, whole; what its evaluation told is absent until it was evaluated. */
export type CandidateDetail = Candidate & Partial<Told>;

/** A refusal or failure, in words. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function ask(path: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch {
    throw new Problem(0, 'The daemon does not answer.');
  }
  if (response.ok) return response;
  let words = `${response.status} ${response.statusText}`;
  try {
    const problem = (await response.json()) as Partial<ProblemDocument>;
    words = [problem.detail ?? problem.title ?? words, problem.help].filter(Boolean).join(' ');
  } catch {
    // No problem document: the status line has to do.
  }
  throw new Problem(response.status, words);
}

export const json = async <T>(path: string, init?: RequestInit): Promise<T> => (await ask(path, init)).json() as Promise<T>;
const runPath = (run: string): string => `/api/v1/runs/${encodeURIComponent(run)}`;
const candidatePath = (run: string, id: string): string => `${runPath(run)}/candidates/${encodeURIComponent(id)}`;

/** Trades the one-time token for a session cookie. */
export async function openSession(token: string): Promise<void> {
  await ask('/api/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
}

export const session = (): Promise<Session> => json('/api/session');
export const candidate = (run: string, id: string): Promise<CandidateDetail> => json(candidatePath(run, id));

export function diff(run: string, id: string, against?: string): Promise<Difference> {
  const query = against ? `?against=${encodeURIComponent(against)}` : '';
  return json(`${candidatePath(run, id)}/diff${query}`);
}

export async function file(run: string, id: string, path: string): Promise<string> {
  const parts = path.split('/').map(encodeURIComponent).join('/');
  return (await ask(`${candidatePath(run, id)}/files/${parts}`)).text();
}

export async function logs(run: string, id: string): Promise<string> {
  return (await ask(`${candidatePath(run, id)}/logs`)).text();
}

export const artifacts = (run: string, id: string): Promise<Artifacts> =>
  json(`${candidatePath(run, id)}/artifacts`);

export const events = (run: string, after: number, limit: number): Promise<Events> =>
  json(`${runPath(run)}/events?after=${after}&limit=${limit}`);
