// The peers of this daemon and what flows between them, as `GET /api/v1/peers` says it. It belongs to the daemon, not to one
// run: nothing of it is in a run's log.
import { Problem, json } from './http';
import type { Collective, Flow } from '../wire/wire';

/** Everything known of peers; null from a daemon that knows of none at all. */
export async function collective(): Promise<Collective | null> {
  try {
    return await json<Collective>('/api/v1/peers');
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 404) return null;
    throw problem;
  }
}

/** A package by the beginning of its digest: enough to follow it from line to line. */
const short = (digest: string): string => `package ${digest.slice(0, 8)}`;

/** One package's step in words: who, which way, what came of it, and whether that is good. */
export function flowWords(step: Flow): { way: string; who: string; what: string; good: boolean | null } {
  switch (step.event_type) {
    case 'knowledge_received': {
      const fit = `fits ${Math.round(step.compatibility.score * 100)} %`;
      const signed = step.signed_by ? `, signed by ${step.signed_by}` : '';
      const kept = step.queued ? 'queued to be tried here' : 'kept, not tried: it fits too little, or nobody known has signed it';
      return { way: 'received', who: step.from, what: `${step.improvement_type.replaceAll('_', ' ')} for ${step.target}, ${fit}, ${kept}${signed}`, good: null };
    }
    case 'judged':
      return { way: 'tried', who: step.target, what: `${short(step.digest)} ${step.improved ? 'improved the program' : 'did not help'}`, good: step.improved };
    case 'knowledge_shared':
      return { way: 'shared', who: step.to, ...shared(step) };
  }
}

function shared({ digest, outcome, attempts }: Extract<Flow, { event_type: 'knowledge_shared' }>): { what: string; good: boolean | null } {
  const tries = attempts === 1 ? '' : ` after ${attempts} tries`;
  if (outcome === 'accepted') return { what: `${short(digest)} was taken${tries}`, good: true };
  if ('declined' in outcome) return { what: `${short(digest)} was declined: ${outcome.declined}`, good: null };
  return { what: `${short(digest)} did not arrive${tries}: ${outcome.failed}`, good: false };
}
